//! Splits queries and paths into plain parts and the values of secret keys.

use super::{Redaction, decode::DecodedByte};

/// A part of a query or a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    Plain(&'a str),
    /// A secret value. Contains its key.
    Secret(&'a str),
}

/// The component of a URL, which determines where a key starts and a value ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Component {
    /// A key starts after each delimiter, and a value ends at `&`.
    Query,
    /// A key also starts after `/`, and a value ends at the end of its parameter (RFC 3986 §3.3).
    Path,
}

/// Splits a query into plain parts and secrets, and calls `visit` for each in order.
pub(crate) fn for_each_query_part<'a>(
    query: &'a str,
    redaction: &Redaction,
    visit: &mut dyn FnMut(Part<'a>),
) {
    for_each_part(query, Component::Query, redaction, visit);
}

pub(super) fn for_each_part<'a>(
    text: &'a str,
    component: Component,
    redaction: &Redaction,
    visit: &mut dyn FnMut(Part<'a>),
) {
    let bytes = text.as_bytes();
    // Most paths have neither a key nor an authority.
    let may_have_secret = bytes.iter().any(|byte| matches!(byte, b'=' | b'%'))
        || bytes.windows(2).any(|pair| pair == b"//");
    if !may_have_secret && !text.is_empty() {
        return visit(Part::Plain(text));
    }
    let (mut pos, mut plain_start, mut key_start, mut is_after_slash) = (0, 0, 0, false);
    while pos < bytes.len() {
        let decoded = DecodedByte::at(bytes, pos);
        let next = pos + decoded.len;
        match decoded.byte {
            b'=' if redaction.is_secret(&text[key_start..pos]) => {
                visit(Part::Plain(&text[plain_start..next]));
                visit(Part::Secret(&text[key_start..pos]));
                pos = find_value_end(bytes, next, component, decoded.depth);
                (plain_start, key_start) = (pos, pos);
            }
            // The authority of a URL inside the text, which may have user and password.
            b'/' if is_after_slash => match find_userinfo_end(bytes, next) {
                Some(end) => {
                    visit(Part::Plain(&text[plain_start..next]));
                    visit(Part::Secret("userinfo"));
                    (pos, plain_start) = (end, end);
                }
                None => pos = next,
            },
            b'/' if component == Component::Path => {
                pos = next;
                key_start = next;
            }
            b'=' | b'&' | b';' | b'?' | b'#' => {
                pos = next;
                key_start = next;
            }
            _ => pos = next,
        }
        is_after_slash = decoded.byte == b'/';
    }
    if plain_start < text.len() {
        visit(Part::Plain(&text[plain_start..]));
    }
}

/// Returns the position of the last `@` in an authority (RFC 3986 §3.2), if it has one.
fn find_userinfo_end(bytes: &[u8], mut pos: usize) -> Option<usize> {
    let mut userinfo_end = None;
    while pos < bytes.len() {
        let decoded = DecodedByte::at(bytes, pos);
        match decoded.byte {
            b'@' => userinfo_end = Some(pos),
            b'/' | b'?' | b'#' | b'&' => break,
            _ => {}
        }
        pos += decoded.len;
    }
    userinfo_end
}

/// Returns the position of the delimiter that ends a value.
///
/// A delimiter that is encoded more often than the `=` before the value is part of the value.
fn find_value_end(bytes: &[u8], mut pos: usize, component: Component, depth: usize) -> usize {
    let delimiters: &[u8] = match component {
        Component::Query => b"&",
        Component::Path => b"&/;?#",
    };
    while pos < bytes.len() {
        let decoded = DecodedByte::at(bytes, pos);
        if delimiters.contains(&decoded.byte) && decoded.depth <= depth {
            break;
        }
        pos += decoded.len;
    }
    pos
}
