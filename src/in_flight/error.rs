use std::{error::Error, fmt, num::NonZeroU32, sync::Arc, time::Duration};

use seawall_core::{Cause, Failure, Processed, Reporter};

use super::limit::Limit;

/// As many calls are under way as may be: this one was refused without calling the inner service.
///
/// Its `source()` is a [`Failure`] of cause [`ConnectionLimitReached`](Cause::ConnectionLimitReached),
/// [not processed](Processed::No), with a `retry_after` of one second. So [`RetryLayer`](crate::retry::RetryLayer) does not try
/// again unless told to, and `ErrorResponseLayer` answers 503 with `Retry-After`.
#[derive(Clone, Debug)]
pub struct LimitReached {
    key: Option<Arc<str>>,
    limit: NonZeroU32,
}

/// Places become free all the time; a caller that comes back in a second meets other calls.
static FAILURE: Failure = Failure::new(Cause::ConnectionLimitReached)
    .with_reporter(Reporter::Local)
    .with_processed(Processed::No)
    .with_retry_after(Some(Duration::from_secs(1)));

impl LimitReached {
    #[cold]
    pub(super) fn new(limit: &Limit) -> Self {
        crate::metrics::record_in_flight_rejection(limit.key.as_ref());
        Self { key: limit.key.clone(), limit: limit.max() }
    }

    /// Which limit, if there is one for each key.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// How many calls might be under way then: as configured, or as the adaptive limit was.
    #[must_use]
    pub const fn limit(&self) -> NonZeroU32 {
        self.limit
    }
}

impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} calls are under way", self.limit)?;
        // A key may hold whatever a caller asked for: `Debug` escapes it.
        match &self.key {
            Some(key) => write!(f, " for {key:?}"),
            None => Ok(()),
        }
    }
}

impl Error for LimitReached {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&FAILURE)
    }
}
