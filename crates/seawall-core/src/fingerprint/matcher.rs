//! The conditions of a fingerprint, and the part of a response that they examine.

use http::{HeaderMap, HeaderValue};
use memchr::memmem;

/// One condition. Header names and the words of [`BodyContainsNone`](Self::BodyContainsNone) are
/// in lower case.
#[derive(Clone, Copy, Debug)]
pub(super) enum Matcher {
    /// The header is present.
    HeaderPresent(&'static str),
    /// The header has one value, which equals this.
    HeaderEquals(&'static str, &'static str),
    /// A value of the header has this prefix.
    HeaderPrefix(&'static str, &'static str),
    /// The response has no headers other than these.
    NoOtherHeaders(&'static [&'static str]),
    /// The body is complete and equals this.
    BodyEquals(&'static str),
    /// The body has this prefix, after white space.
    BodyPrefix(&'static str),
    /// The part of the body read so far contains this and is not JSON, because JSON may quote the
    /// page of another server.
    BodyContains(&'static str),
    /// The part of the body read so far contains this and is JSON.
    JsonContains(&'static str),
    /// The body is complete and contains none of these words. Ignores case.
    BodyContainsNone(&'static [&'static str]),
}

/// The part of a response that was read so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct PeekedResponse<'a> {
    pub(super) headers: &'a HeaderMap,
    /// `None` before the body is read.
    pub(super) body: Option<&'a [u8]>,
    /// Whether no more of the body will be read.
    pub(super) is_last_read: bool,
    /// Whether the body was read to its end.
    pub(super) is_complete: bool,
}

impl Matcher {
    pub(super) const fn examines_body(&self) -> bool {
        matches!(
            self,
            Self::BodyEquals(_)
                | Self::BodyPrefix(_)
                | Self::BodyContains(_)
                | Self::JsonContains(_)
                | Self::BodyContainsNone(_)
        )
    }

    pub(super) fn matches(&self, response: PeekedResponse<'_>) -> bool {
        let headers = response.headers;
        match *self {
            Self::HeaderPresent(name) => values(headers, name).next().is_some(),
            Self::HeaderEquals(name, value) => {
                let mut values = values(headers, name);
                values.next().is_some_and(|it| it == value) && values.next().is_none()
            }
            Self::HeaderPrefix(name, prefix) => {
                values(headers, name).any(|value| has_prefix(value, prefix))
            }
            Self::NoOtherHeaders(names) => {
                headers.keys().all(|name| names.contains(&name.as_str()))
            }
            Self::BodyEquals(text) => {
                response.is_complete && response.body.is_some_and(|body| body == text.as_bytes())
            }
            Self::BodyPrefix(prefix) => response
                .body
                .is_some_and(|body| body.trim_ascii_start().starts_with(prefix.as_bytes())),
            Self::BodyContains(part) => response.body.is_some_and(|body| {
                !is_json(body) && memmem::find(body, part.as_bytes()).is_some()
            }),
            Self::JsonContains(part) => response
                .body
                .is_some_and(|body| is_json(body) && memmem::find(body, part.as_bytes()).is_some()),
            Self::BodyContainsNone(words) => {
                response.body.filter(|_| response.is_complete).is_some_and(|body| {
                    let body = body.to_ascii_lowercase();
                    words.iter().all(|word| memmem::find(&body, word.as_bytes()).is_none())
                })
            }
        }
    }
}

fn is_json(body: &[u8]) -> bool {
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'[' | b'"'))
}

/// Returns the values of a header. A linear search is faster than a hash per fingerprint, because
/// responses have few headers.
fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a HeaderValue> {
    headers.iter().filter(move |(it, _)| it.as_str() == name).map(|(_, value)| value)
}

/// Returns whether the value has the prefix. Ignores case, because an intermediary may change it.
fn has_prefix(value: &HeaderValue, prefix: &str) -> bool {
    let value = value.as_bytes();
    value.len() >= prefix.len() && value[..prefix.len()].eq_ignore_ascii_case(prefix.as_bytes())
}
