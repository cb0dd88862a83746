use std::{error::Error, fmt, time::Duration};

use crate::{Cause, Failure, Processed, Reporter};

/// The limit of a [`Timeout`](super::Timeout) passed before a response.
///
/// Its `source()` is a [`Failure`] of cause [`HttpResponseTimeout`](Cause::HttpResponseTimeout), so every layer of
/// this crate knows it. The request [may have been processed](Processed::Maybe).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elapsed {
    limit: Duration,
}

static FAILURE: Failure = Failure::new(Cause::HttpResponseTimeout)
    .with_reporter(Reporter::Local)
    .with_processed(Processed::Maybe);

impl Elapsed {
    pub(super) const fn new(limit: Duration) -> Self {
        Self { limit }
    }

    /// The limit that passed (configured, not measured).
    #[must_use]
    pub const fn limit(&self) -> Duration {
        self.limit
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no response within {:?}", self.limit)
    }
}

impl Error for Elapsed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&FAILURE)
    }
}
