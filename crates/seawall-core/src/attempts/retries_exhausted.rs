use std::{error::Error, fmt, num::NonZeroU32, time::Duration};

use http::Response;

use super::StopReason;
use crate::{error::BoxError, failure::Cause};

/// The error of a call that failed after more than one attempt, or after another was decided on. Its `source()` is the
/// error of the last attempt.
///
/// An error of the first attempt that is not retried passes unchanged. If the inner service was not ready in time for an
/// attempt, the source is the last failure, or the service's own error. With
/// `RetryLayer::error_on_exhausted_status` this error replaces a response; its source is then the
/// response's [`Failure`](crate::Failure).
#[derive(Debug)]
pub struct RetriesExhausted {
    attempts: NonZeroU32,
    elapsed: Duration,
    stop: StopReason,
    /// The cause of the last attempt's failure.
    cause: Cause,
    last_response: Option<Box<Response<()>>>,
    /// An attempt before the last one may have been processed.
    may_be_processed: bool,
    source: BoxError,
}

impl RetriesExhausted {
    /// Creates an error. `cause` is that of the last failure, and `source` the error of the last attempt.
    #[must_use]
    pub const fn new(
        attempts: NonZeroU32,
        elapsed: Duration,
        stop: StopReason,
        cause: Cause,
        last_response: Option<Box<Response<()>>>,
        source: BoxError,
    ) -> Self {
        Self { attempts, elapsed, stop, cause, last_response, may_be_processed: false, source }
    }

    /// Sets whether an earlier attempt may have been processed.
    #[must_use]
    pub fn with_may_be_processed(self, may_be_processed: bool) -> Self {
        Self { may_be_processed, ..self }
    }

    /// Returns whether an earlier attempt may have been processed, whatever the last one proves.
    #[must_use]
    pub const fn may_be_processed(&self) -> bool {
        self.may_be_processed
    }

    /// Returns the number of requests sent, the first included.
    #[must_use]
    pub const fn attempts(&self) -> NonZeroU32 {
        self.attempts
    }

    /// Returns the time from the call to this error, waits included.
    #[must_use]
    pub const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Returns why the call was not retried again.
    #[must_use]
    pub const fn reason(&self) -> StopReason {
        self.stop
    }

    /// Returns the head of the last response, if any attempt got one.
    ///
    /// It may be that of an earlier attempt, if the last one ended without a response.
    #[must_use]
    pub fn last_response(&self) -> Option<&Response<()>> {
        self.last_response.as_deref()
    }
}

/// Names the cause of the last failure, and contains nothing that a peer sent: `gave up after 5 attempts in 764.5ms (total
/// spent): connection refused`.
impl fmt::Display for RetriesExhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.attempts.get() == 1 { "" } else { "s" };
        let Self { attempts, elapsed, .. } = self;
        let [stop, cause] =
            [self.stop.as_str(), self.cause.as_str()].map(|name| name.replace('_', " "));
        write!(f, "gave up after {attempts} attempt{plural} in {elapsed:.1?} ({stop}): {cause}")
    }
}

impl Error for RetriesExhausted {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
