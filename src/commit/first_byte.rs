use http::HeaderMap;

use super::{Judge, Reading};

/// Commits a response at the first byte of its body, whatever its type.
///
/// For [`CommitLayer::first_byte`](super::CommitLayer::first_byte), which limits the time to this
/// byte. A body that breaks off before it fails too. An empty body is an answer.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct FirstByte {}

impl FirstByte {
    /// Creates a judge without settings.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

impl Judge for FirstByte {
    fn reading(&self, _headers: &HeaderMap) -> Option<Reading> {
        Some(Reading::FirstByte)
    }
}
