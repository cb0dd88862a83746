//! The content types that are read.

use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};

use super::Reading;

impl Reading {
    /// Returns [`Reading::Events`] for `text/event-stream`, and [`Reading::Bytes`] for
    /// `application/json`.
    #[must_use]
    #[inline]
    pub fn by_content_type(headers: &HeaderMap) -> Option<Self> {
        let content_type = headers.get(CONTENT_TYPE)?.as_bytes();
        if has_essence(content_type, b"application/json") {
            Some(Self::Bytes)
        } else {
            has_essence(content_type, b"text/event-stream").then_some(Self::Events)
        }
    }

    /// Returns whether the content of a body with these headers can be read.
    #[inline]
    pub(super) fn applies_to(self, headers: &HeaderMap) -> bool {
        self != Self::Events || !is_compressed(headers)
    }
}

fn is_compressed(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// Returns whether a content type is `essence`, with any parameters.
#[inline]
fn has_essence(content_type: &[u8], essence: &[u8]) -> bool {
    let Some((found, rest)) = content_type.split_at_checked(essence.len()) else { return false };
    matches!(rest.first(), None | Some(b';' | b' ' | b'\t')) && found.eq_ignore_ascii_case(essence)
}
