//! Metadata that the retry layer attaches to requests, responses and errors.

mod retries_exhausted;
mod stop_reason;

use std::{num::NonZeroU32, time::Duration};

use crate::failure::Failure;

pub use self::{retries_exhausted::RetriesExhausted, stop_reason::StopReason};

/// The number of an attempt, starting at 1.
///
/// The retry layer inserts it into the request's extensions from the second attempt on. The first
/// attempt has none, to avoid an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptNumber(pub NonZeroU32);

/// Reports how many attempts were made and why retrying stopped.
///
/// The retry layer inserts it into the extensions of every response, unless the first attempt
/// succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryReport {
    attempts: NonZeroU32,
    elapsed: Duration,
    failure: Option<Failure>,
    stop_reason: Option<StopReason>,
    failed_attempts: Vec<FailedAttempt>,
}

/// The maximum number of attempts in a history.
const MAX_FAILED_ATTEMPTS: usize = 8;

/// An attempt that failed and was followed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedAttempt {
    failure: Failure,
    delay: Duration,
}

impl FailedAttempt {
    /// Appends an attempt to a history of at most 8 attempts, and drops the oldest if it is full.
    /// `delay` is the wait before the next attempt.
    pub fn record(history: &mut Vec<Self>, failure: Failure, delay: Duration) {
        if history.len() == MAX_FAILED_ATTEMPTS {
            history.remove(0);
        }
        history.push(Self { failure, delay });
    }

    /// Returns the failure of the attempt.
    #[must_use]
    pub const fn failure(&self) -> &Failure {
        &self.failure
    }

    /// Returns the wait between this attempt and the next.
    #[must_use]
    pub const fn delay(&self) -> Duration {
        self.delay
    }
}

impl RetryReport {
    /// Creates a report. `failure` and `stop_reason` are `None` for a success.
    #[must_use]
    pub const fn new(
        attempts: NonZeroU32,
        elapsed: Duration,
        failure: Option<Failure>,
        stop_reason: Option<StopReason>,
        failed_attempts: Vec<FailedAttempt>,
    ) -> Self {
        Self { attempts, elapsed, failure, stop_reason, failed_attempts }
    }

    /// Returns the number of requests sent, including the first.
    #[must_use]
    pub const fn attempts(&self) -> NonZeroU32 {
        self.attempts
    }

    /// Returns the time from the call to the response, including waits.
    #[must_use]
    pub const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Returns the classification of the response, or `None` for a success.
    ///
    /// A retried status below 400, from `RetryLayer::retry_statuses`, is not a failure.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Returns why a failed response was not retried again, or `None` for a success.
    #[must_use]
    pub const fn stop_reason(&self) -> Option<StopReason> {
        self.stop_reason
    }

    /// Returns the failed attempts before the last one, oldest first. At most 8 are kept.
    #[must_use]
    pub fn failed_attempts(&self) -> &[FailedAttempt] {
        &self.failed_attempts
    }
}
