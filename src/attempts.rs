//! What retrying leaves behind for others to read.

use std::{error::Error, fmt, num::NonZeroU32, time::Duration};

use crate::{BoxError, Failure};

/// Which attempt a request is, in its extensions: only from the second on, since an extension costs allocations.
/// Counts from 1 and includes the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt(pub NonZeroU32);

/// How a response came about, in its extensions: only when something was to be decided, so never on a response that
/// succeeded at the first attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempts {
    count: NonZeroU32,
    elapsed: Duration,
    stop: Option<Stop>,
    last: Option<Failure>,
}

impl Attempts {
    pub(crate) const fn new(
        count: NonZeroU32,
        elapsed: Duration,
        stop: Option<Stop>,
        last: Option<Failure>,
    ) -> Self {
        Self {
            count,
            elapsed,
            stop,
            last,
        }
    }

    /// Requests sent, the first included.
    #[must_use]
    pub const fn count(&self) -> NonZeroU32 {
        self.count
    }

    /// From the call to this response, waits included.
    #[must_use]
    pub const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Why a failed response was not retried (again); `None` on a success.
    #[must_use]
    pub const fn stop(&self) -> Option<Stop> {
        self.stop
    }

    /// The failure of the attempt before this one, if there was one.
    #[must_use]
    pub const fn last_failure(&self) -> Option<Failure> {
        self.last
    }
}

/// Why a failed call was not tried (again).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stop {
    /// The failure is not one that another try could mend.
    NotRetryable,
    /// The method is not among those allowed, and nothing proves that the request was not processed.
    MethodNotAllowed,
    /// The server said `x-should-retry: false`, or its gRPC pushback said no.
    ServerSaysNo,
    /// The number of retries is spent.
    TotalSpent,
    /// The server asks to wait longer than allowed, or all waits together would be.
    WaitTooLong,
    /// The request's body cannot be sent again: it failed, or is larger than the limit.
    NotReplayable,
    /// The inner service failed to become ready for another attempt.
    NotReady,
}

impl Stop {
    /// The name used in logs and metrics, such as `total_spent`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotRetryable => "not_retryable",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::ServerSaysNo => "server_says_no",
            Self::TotalSpent => "total_spent",
            Self::WaitTooLong => "wait_too_long",
            Self::NotReplayable => "not_replayable",
            Self::NotReady => "not_ready",
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A call failed after more than one attempt. Its `source()` is the error of the last one.
///
/// An error of the first attempt that is not retried comes out as it is, without this around it.
#[derive(Debug)]
pub struct GaveUp {
    attempts: NonZeroU32,
    elapsed: Duration,
    stop: Stop,
    source: BoxError,
}

impl GaveUp {
    pub(crate) const fn new(
        attempts: NonZeroU32,
        elapsed: Duration,
        stop: Stop,
        source: BoxError,
    ) -> Self {
        Self {
            attempts,
            elapsed,
            stop,
            source,
        }
    }

    /// Requests sent, the first included.
    #[must_use]
    pub const fn attempts(&self) -> NonZeroU32 {
        self.attempts
    }

    /// From the call to this error, waits included.
    #[must_use]
    pub const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Why it was not tried again.
    #[must_use]
    pub const fn stop(&self) -> Stop {
        self.stop
    }
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "gave up after {} attempts in {:?} ({})",
            self.attempts, self.elapsed, self.stop
        )
    }
}

impl Error for GaveUp {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
