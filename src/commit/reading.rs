//! The content types that are read.

use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};

use super::Reading;

impl Reading {
    /// Returns [`Reading::Events`] if the content type is `text/event-stream`.
    #[must_use]
    pub fn of_event_stream(headers: &HeaderMap) -> Option<Self> {
        has_essence(headers, "text/event-stream").then_some(Self::Events)
    }

    /// Returns [`Reading::Bytes`] if the content type is `application/json`.
    #[must_use]
    pub fn of_json(headers: &HeaderMap) -> Option<Self> {
        has_essence(headers, "application/json").then_some(Self::Bytes)
    }

    /// Returns whether the content of a body with these headers can be read.
    pub(super) fn applies_to(self, headers: &HeaderMap) -> bool {
        match self {
            Self::FirstByte | Self::Trailers => true,
            Self::Events | Self::Bytes => headers
                .get(CONTENT_ENCODING)
                .is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")),
        }
    }
}

/// Returns whether the content type is `essence`, with any parameters.
fn has_essence(headers: &HeaderMap, essence: &str) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else { return false };
    let Some((found, rest)) = value.as_bytes().split_at_checked(essence.len()) else {
        return false;
    };
    found.eq_ignore_ascii_case(essence.as_bytes())
        && matches!(rest.first(), None | Some(b';' | b' ' | b'\t'))
}
