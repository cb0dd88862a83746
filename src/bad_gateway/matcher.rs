//! What a row of the table looks at.

use http::{HeaderMap, HeaderValue};
use memchr::memmem;

/// One thing that must be so. Names of headers are in lower case; so are the words of [`BodyLacks`](Self::BodyLacks).
#[derive(Clone, Copy, Debug)]
pub(super) enum Matcher {
    /// The header is there.
    Has(&'static str),
    /// Its only value is this.
    Is(&'static str, &'static str),
    /// One of its values begins with this.
    Begins(&'static str, &'static str),
    /// No headers but these.
    Only(&'static [&'static str]),
    /// The whole body is this.
    BodyIs(&'static str),
    /// The body begins with this.
    BodyBegins(&'static str),
    /// The body has this somewhere in what was read of it, and is no JSON: that may quote another's page.
    BodyHolds(&'static str),
    /// The same, in JSON.
    JsonHolds(&'static str),
    /// None of these words is in the whole body, in whatever case.
    BodyLacks(&'static [&'static str]),
}

/// What is known of a response so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct PeekedResponse<'a> {
    pub(super) headers: &'a HeaderMap,
    /// What was read of the body; `None`: it was not looked at.
    pub(super) body: Option<&'a [u8]>,
    /// No more of it will be read.
    pub(super) over: bool,
    /// That is the whole of it.
    pub(super) whole: bool,
}

impl Matcher {
    pub(super) const fn of_body(&self) -> bool {
        matches!(
            self,
            Self::BodyIs(_)
                | Self::BodyBegins(_)
                | Self::BodyHolds(_)
                | Self::JsonHolds(_)
                | Self::BodyLacks(_)
        )
    }

    pub(super) fn holds(&self, seen: PeekedResponse<'_>) -> bool {
        let headers = seen.headers;
        match *self {
            Self::Has(name) => values(headers, name).next().is_some(),
            Self::Is(name, value) => {
                let mut values = values(headers, name);
                values.next().is_some_and(|it| it == value) && values.next().is_none()
            }
            Self::Begins(name, start) => values(headers, name).any(|value| begins(value, start)),
            Self::Only(names) => headers.keys().all(|name| names.contains(&name.as_str())),
            Self::BodyIs(text) => {
                seen.whole && seen.body.is_some_and(|body| body == text.as_bytes())
            }
            Self::BodyBegins(start) => {
                seen.body.is_some_and(|body| body.trim_ascii_start().starts_with(start.as_bytes()))
            }
            Self::BodyHolds(part) => seen.body.is_some_and(|body| {
                !is_json(body) && memmem::find(body, part.as_bytes()).is_some()
            }),
            Self::JsonHolds(part) => seen
                .body
                .is_some_and(|body| is_json(body) && memmem::find(body, part.as_bytes()).is_some()),
            Self::BodyLacks(words) => seen.body.filter(|_| seen.whole).is_some_and(|body| {
                let body = body.to_ascii_lowercase();
                words.iter().all(|word| memmem::find(&body, word.as_bytes()).is_none())
            }),
        }
    }
}

fn is_json(body: &[u8]) -> bool {
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'[' | b'"'))
}

/// One after the other: a response has few headers and the table many rows, so this takes less than hashing each name.
fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a HeaderValue> {
    headers.iter().filter(move |(it, _)| it.as_str() == name).map(|(_, value)| value)
}

/// Products write their names in one case, but what stands between may not keep it.
fn begins(value: &HeaderValue, start: &str) -> bool {
    let value = value.as_bytes();
    value.len() >= start.len() && value[..start.len()].eq_ignore_ascii_case(start.as_bytes())
}
