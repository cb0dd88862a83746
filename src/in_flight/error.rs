use std::{error::Error, fmt, num::NonZeroU32, sync::Arc, time::Duration};

use seawall_core::{Cause, Failure, Processed, Reporter};

use super::limit::Limit;

/// The error of a call that was rejected because the limit of calls in flight was reached. The
/// inner service was not called.
///
/// Its `source()` is a [`Failure`] with the cause
/// [`ConnectionLimitReached`](Cause::ConnectionLimitReached), [not processed](Processed::No), and
/// with a `retry_after` of one second. [`RetryLayer`](crate::retry::RetryLayer) does not retry it
/// unless configured to. `ErrorResponseLayer` responds with 503 and `Retry-After`.
#[derive(Clone, Debug)]
pub struct LimitReached {
    key: Option<Arc<str>>,
    limit: NonZeroU32,
}

/// Calls end continually, so a permit is probably free after one second.
static FAILURE: Failure = Failure::new(Cause::ConnectionLimitReached)
    .with_reporter(Reporter::Local)
    .with_processed(Processed::No)
    .with_retry_after(Some(Duration::from_secs(1)));

impl LimitReached {
    #[cold]
    pub(super) fn new(limit: &Limit) -> Self {
        limit.report_rejection();
        Self { key: limit.key.clone(), limit: limit.max() }
    }

    /// Returns the key of the limit, if there is one limit per key.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Returns the maximum number of calls in flight at the time of the rejection, configured or
    /// adaptive.
    #[must_use]
    pub const fn limit(&self) -> NonZeroU32 {
        self.limit
    }
}

impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limit of {} calls in flight reached", self.limit)?;
        // A caller may have chosen the text of a key. `Debug` escapes it.
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
