//! Redaction of free text, such as error messages.

use std::fmt::{self, Write};

use super::{
    REDACTED, RedactedPath, Redaction,
    split::{Component, Part, for_each_part},
    truncate,
};

/// The maximum number of bytes that are read. Outputs truncate texts earlier.
const MAX_BYTES: usize = 8 * 1024;

/// Returns the text with [`REDACTED`] in place of secrets, truncated at 8 KiB.
///
/// Users, passwords and queries of URLs are replaced whole, because a text is not a URL that a
/// program has parsed. Paths and words such as `token=…` are redacted by the lists. If the
/// `Display` fails, returns the text written before that.
pub(crate) fn redact_text(text: &dyn fmt::Display, redaction: &Redaction) -> String {
    let mut input = BoundedString::default();
    let _ = write!(input, "{text}");
    let mut text = input.text;
    if input.is_truncated {
        // The last word may be a part of a URL, whose user and password end at a later `@`.
        let last_word = text.rfind(ends_word).unwrap_or(0);
        if let Some(scheme) = text[last_word..].find("://") {
            text.truncate(last_word + scheme);
        }
    }
    let mut output = String::with_capacity(text.len());
    for word in text.split_inclusive(ends_word) {
        let delimiter = word.chars().next_back().filter(|&last| ends_word(last));
        let word = &word[..word.len() - delimiter.map_or(0, char::len_utf8)];
        write_word(&mut output, word, redaction);
        output.extend(delimiter);
    }
    output
}

/// Returns whether a character ends a word. None of them occurs in a URL (RFC 3986 appendix C).
fn ends_word(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '"' | '<' | '>' | '`')
}

fn write_word(out: &mut String, word: &str, redaction: &Redaction) {
    if let Some(colon) = word.find("://") {
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-');
        let scheme_start = word[..colon].trim_end_matches(is_scheme).len();
        let (prefix, url) = word.split_at(scheme_start);
        if let Some(query) = prefix.find(['?', '#']) {
            // The URL is a part of this query.
            return write_reference(out, word, Some(query), redaction);
        }
        write_reference(out, prefix, None, redaction);
        let (scheme, rest) = url.split_at(colon + 3 - scheme_start);
        out.push_str(scheme);
        let rest = match userinfo_end(rest) {
            Some(end) => {
                out.extend([REDACTED, "@"]);
                &rest[end + 1..]
            }
            None => rest,
        };
        return write_reference(out, rest, rest.find(['?', '#']), redaction);
    }
    // A question mark alone may be punctuation.
    let query = word.find('?').filter(|&start| word[start..].contains('='));
    write_reference(out, word, query, redaction);
}

/// Writes a URL without its scheme and user. `query` is the start of the query or fragment.
fn write_reference(out: &mut String, text: &str, query: Option<usize>, redaction: &Redaction) {
    let (path, query) = text.split_at(query.unwrap_or(text.len()));
    let is_path = path.find('/').is_some_and(|slash| !path[..slash].contains('='));
    if is_path {
        let _ = write!(out, "{}", RedactedPath(path, redaction));
    } else {
        for_each_part(path, Component::Query, redaction, &mut |part| {
            out.push_str(match part {
                Part::Plain(text) => text,
                Part::Secret(_) => REDACTED,
            });
        });
    }
    let Some(delimiter) = query.chars().next() else { return };
    out.push(delimiter);
    let value = query[1..].trim_end_matches(|c| ")]}',.;:".contains(c));
    if !value.is_empty() {
        out.push_str(REDACTED);
    }
    out.push_str(&query[1 + value.len()..]);
}

/// Returns the position of the `@` after user and password.
fn userinfo_end(rest: &str) -> Option<usize> {
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    if let Some(end) = authority.rfind('@') {
        return Some(end);
    }
    // A password with an unescaped delimiter. Otherwise a port would follow the colon.
    let (_, port) = authority.rsplit_once(':')?;
    let is_port = port.ends_with(']') || port.bytes().all(|byte| byte.is_ascii_digit());
    if is_port { None } else { rest.rfind('@') }
}

/// Text of at most [`MAX_BYTES`]. A write beyond that returns an error.
#[derive(Default)]
struct BoundedString {
    text: String,
    is_truncated: bool,
}

impl Write for BoundedString {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let part = truncate(text, MAX_BYTES - self.text.len());
        self.text.push_str(part);
        // A formatter may ignore the error and write more.
        self.is_truncated |= part.len() < text.len();
        if self.is_truncated { Err(fmt::Error) } else { Ok(()) }
    }
}
