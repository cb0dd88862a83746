use std::{error::Error, fmt, num::NonZeroU32, time::Duration};

use http::Response;

use super::{FailedAttempt, RetryReport, StopReason};
use crate::{
    error::BoxError,
    failure::{Cause, Failure},
};

/// The error of a call that failed after a retry was made or planned.
///
/// Its `source()` is the error of the last attempt. If the inner service was not ready in time for
/// an attempt, the source is the last failure or the service's own error. With
/// `RetryLayer::error_on_exhausted_status`, this error replaces a response, and its source is the
/// response's [`Failure`](crate::Failure).
///
/// If the first attempt fails and is not retried, its error is returned unchanged.
#[derive(Debug)]
pub struct RetriesExhausted {
    attempts: NonZeroU32,
    elapsed: Duration,
    stop_reason: StopReason,
    /// The cause of the last attempt's failure.
    cause: Cause,
    last_response: Option<Box<Response<()>>>,
    /// Whether an attempt before the last one may have been processed.
    may_be_processed: bool,
    failed_attempts: Vec<FailedAttempt>,
    source: BoxError,
}

impl RetriesExhausted {
    /// Creates an error. `cause` is the cause of the last failure, and `source` is the error of the
    /// last attempt.
    #[must_use]
    pub const fn new(
        attempts: NonZeroU32,
        elapsed: Duration,
        stop_reason: StopReason,
        cause: Cause,
        last_response: Option<Box<Response<()>>>,
        source: BoxError,
    ) -> Self {
        Self {
            attempts,
            elapsed,
            stop_reason,
            cause,
            last_response,
            may_be_processed: false,
            failed_attempts: Vec::new(),
            source,
        }
    }

    /// Sets whether an attempt before the last one may have been processed.
    #[must_use]
    pub fn with_may_be_processed(self, may_be_processed: bool) -> Self {
        Self { may_be_processed, ..self }
    }

    /// Returns whether an attempt before the last one may have been processed, even if the last one
    /// was not.
    #[must_use]
    pub const fn may_be_processed(&self) -> bool {
        self.may_be_processed
    }

    /// Sets the failed attempts before the last one, oldest first.
    #[must_use]
    pub fn with_failed_attempts(self, failed_attempts: Vec<FailedAttempt>) -> Self {
        Self { failed_attempts, ..self }
    }

    /// Returns the failed attempts before the last one, oldest first, at most the last 8.
    ///
    /// If this process rejected the last attempt, such as by an open circuit, they have the
    /// failures of the upstream.
    #[must_use]
    pub fn failed_attempts(&self) -> &[FailedAttempt] {
        &self.failed_attempts
    }

    /// Returns the same as a report, for a response that replaces the error.
    #[must_use]
    pub fn to_report(&self, failure: Failure) -> RetryReport {
        RetryReport::new(
            self.attempts,
            self.elapsed,
            Some(failure),
            Some(self.stop_reason),
            self.failed_attempts.clone(),
        )
    }

    /// Returns the number of requests sent, including the first.
    #[must_use]
    pub const fn attempts(&self) -> NonZeroU32 {
        self.attempts
    }

    /// Returns the time from the call to this error, including waits.
    #[must_use]
    pub const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Returns why the call was not retried again.
    #[must_use]
    pub const fn stop_reason(&self) -> StopReason {
        self.stop_reason
    }

    /// Returns the head of the last response, if any attempt received one.
    ///
    /// If the last attempt received no response, the head is from an earlier attempt.
    #[must_use]
    pub fn last_response(&self) -> Option<&Response<()>> {
        self.last_response.as_deref()
    }
}

/// Formats the error without any text from the peer: `gave up after 5 attempts in 764.5ms (max
/// retries): connection refused`.
impl fmt::Display for RetriesExhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.attempts.get() == 1 { "" } else { "s" };
        let Self { attempts, elapsed, .. } = self;
        let (reason, cause) =
            (self.stop_reason.description(), self.cause.as_str().replace('_', " "));
        write!(f, "gave up after {attempts} attempt{plural} in {elapsed:.1?} ({reason}): {cause}")
    }
}

impl Error for RetriesExhausted {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
