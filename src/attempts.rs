//! What retrying leaves behind for others to read.

#[cfg(any(feature = "circuit-breaker", feature = "logging"))]
use std::sync::Once;
use std::{error::Error, fmt, num::NonZeroU32, time::Duration};

use http::Response;

use crate::{BoxError, Cause, Failure};

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
    failure: Option<Failure>,
    stop: Option<Stop>,
    past: Vec<Past>,
}

/// How many attempts are remembered, however many there were.
const REMEMBERED: usize = 8;

/// An attempt that failed and was followed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Past {
    failure: Failure,
    delay: Duration,
}

impl Past {
    /// What it failed with.
    #[must_use]
    pub const fn failure(&self) -> &Failure {
        &self.failure
    }

    /// The wait between it and the next.
    #[must_use]
    pub const fn delay(&self) -> Duration {
        self.delay
    }
}

/// Remembers one more, and forgets the oldest beyond the limit.
pub(crate) fn remember(past: &mut Vec<Past>, failure: Failure, delay: Duration) {
    if past.len() == REMEMBERED {
        past.remove(0);
    }
    past.push(Past { failure, delay });
}

impl Attempts {
    pub(crate) const fn new(
        count: NonZeroU32,
        elapsed: Duration,
        failure: Option<Failure>,
        stop: Option<Stop>,
        past: Vec<Past>,
    ) -> Self {
        Self { count, elapsed, failure, stop, past }
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

    /// The classifier's verdict on this response; `None` on a success.
    ///
    /// A status below 400 of [`status_forcelist`](crate::RetryLayer::status_forcelist) is none, though it is retried.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Why a failed response was not retried (again); `None` on a success.
    #[must_use]
    pub const fn stop(&self) -> Option<Stop> {
        self.stop
    }

    /// The attempts before this one, oldest first: the last 8 at most.
    #[must_use]
    pub fn past(&self) -> &[Past] {
        &self.past
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
    /// The number of retries of failures to connect is spent.
    ConnectSpent,
    /// The number of retries of connections that failed after connecting is spent.
    ReadSpent,
    /// The number of retries of statuses is spent.
    StatusSpent,
    /// The number of retries of other errors is spent.
    OtherSpent,
    /// All calls together have had as many retries as their budget allows.
    BudgetSpent,
    /// The deadline would pass before another attempt could end.
    DeadlineTooNear,
    /// The server asks to wait longer than allowed, or all waits together would be.
    WaitTooLong,
    /// The request's body cannot be sent again: it failed, or is larger than the limit.
    NotReplayable,
    /// The inner service failed to become ready for another attempt.
    NotReady,
    /// A circuit breaker refused the request: the upstream is known to be down.
    CircuitOpen,
    /// A limit of the calls under way at once refused the request.
    Shed,
}

impl Stop {
    /// Whether it would have been tried again, but for a limit.
    pub(crate) const fn is_limit(self) -> bool {
        !matches!(
            self,
            Self::NotRetryable
                | Self::MethodNotAllowed
                | Self::ServerSaysNo
                | Self::CircuitOpen
                | Self::Shed
        )
    }

    /// The name used in logs and metrics, such as `total_spent`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotRetryable => "not_retryable",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::ServerSaysNo => "server_says_no",
            Self::TotalSpent => "total_spent",
            Self::ConnectSpent => "connect_spent",
            Self::ReadSpent => "read_spent",
            Self::StatusSpent => "status_spent",
            Self::OtherSpent => "other_spent",
            Self::BudgetSpent => "budget_spent",
            Self::DeadlineTooNear => "deadline_too_near",
            Self::WaitTooLong => "wait_too_long",
            Self::NotReplayable => "not_replayable",
            Self::NotReady => "not_ready",
            Self::CircuitOpen => "circuit_open",
            Self::Shed => "shed",
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A call failed after more than one attempt, or for want of another. Its `source()` is the error of the last one.
///
/// An error of the first attempt that is not retried comes out as it is, without this around it. Where another attempt was
/// decided on and not begun, because the inner service was not ready in time, the source is the last failure, or the
/// service's own error. With [`raise_on_status`](crate::RetryLayer::raise_on_status) this stands for a response too; then
/// its source is that response's [`Failure`].
#[derive(Debug)]
pub struct GaveUp {
    attempts: NonZeroU32,
    elapsed: Duration,
    stop: Stop,
    /// What the last attempt failed with.
    cause: Cause,
    last_response: Option<Box<Response<()>>>,
    /// An attempt before the last one may have been processed, whatever the last one proves of itself.
    may_be_processed: bool,
    source: BoxError,
}

impl GaveUp {
    pub(crate) const fn new(
        attempts: NonZeroU32,
        elapsed: Duration,
        stop: Stop,
        cause: Cause,
        last_response: Option<Box<Response<()>>>,
        source: BoxError,
    ) -> Self {
        Self { attempts, elapsed, stop, cause, last_response, may_be_processed: false, source }
    }

    /// Says whether an earlier attempt may have been processed.
    pub(crate) fn with_earlier(self, may_be_processed: bool) -> Self {
        Self { may_be_processed, ..self }
    }

    pub(crate) const fn may_be_processed(&self) -> bool {
        self.may_be_processed
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

    /// The head of the last response that came, if any did: the upstream's last word, should the last attempt have
    /// ended without one.
    #[must_use]
    pub fn last_response(&self) -> Option<&Response<()>> {
        self.last_response.as_deref()
    }
}

/// With what the last attempt failed with, in words that hold nothing of what was sent: `gave up after 5 attempts in 764.5ms
/// (total spent): connection refused`.
impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.attempts.get() == 1 { "" } else { "s" };
        let Self { attempts, elapsed, .. } = self;
        let [stop, cause] =
            [self.stop.as_str(), self.cause.as_str()].map(|name| name.replace('_', " "));
        write!(f, "gave up after {attempts} attempt{plural} in {elapsed:.1?} ({stop}): {cause}")
    }
}

impl Error for GaveUp {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
/// Says once that a breaker stands around a retry, of whose failure it was told by `error`.
#[cfg(feature = "circuit-breaker")]
pub(crate) fn hint_if_around_retry(error: &(dyn Error + 'static)) {
    static SAID: Once = Once::new();
    if !SAID.is_completed() && crate::find_source::<GaveUp>(error).is_some() {
        SAID.call_once(|| {
            tracing::debug!(
                name: "order",
                "CircuitBreakerLayer stands around RetryLayer: of several attempts it counts one, and cannot end the retrying",
            );
        });
    }
}

/// Says once that a log is written inside of a retry.
#[cfg(feature = "logging")]
pub(crate) fn hint_inside_retry() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::debug!(
            name: "order",
            "LoggingLayer stands inside RetryLayer: its lines are of attempts; only one around it says how a call ended",
        );
    });
}
