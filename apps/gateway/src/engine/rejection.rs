//! The errors of requests that the gateway rejects.

use std::{error::Error, fmt, time::Duration};

use seawall::{
    BoxError, Cause, Failure, Processed, Reporter, circuit_breaker::CircuitOpen, find_source,
};

/// A request that was not sent upstream.
#[derive(Debug)]
pub(crate) struct Rejection {
    reason: &'static str,
    failure: Failure,
}

impl Rejection {
    /// The circuit of every endpoint is open.
    pub(super) const fn all_circuits_open(wait: Duration) -> Self {
        Self::new("the circuit of every upstream is open", Cause::CircuitOpen, Some(wait))
    }

    /// The circuit opened after the balancer chose the endpoint. A retry can use another at once.
    pub(super) const fn endpoint_unavailable() -> Self {
        Self::new(
            "the circuit of the upstream is open, but another is available",
            Cause::DestinationUnavailable,
            None,
        )
    }

    /// The upstream responded to an earlier request of the client with 429 and `Retry-After`.
    pub(super) const fn upstream_rate_limit(wait: Duration) -> Self {
        Self::new("the upstream limits the rate of this client", Cause::RateLimited, Some(wait))
    }

    /// The upstream responded to an earlier request of the client with `Retry-After`.
    pub(super) const fn upstream_unavailable(wait: Duration) -> Self {
        Self::new("the upstream requested a wait from this client", Cause::Overloaded, Some(wait))
    }

    /// The same request has just failed.
    pub(super) const fn repeated_request(wait: Duration) -> Self {
        Self::new(
            "the same request has just failed after all retries",
            Cause::DestinationUnavailable,
            Some(wait),
        )
    }

    const fn new(reason: &'static str, cause: Cause, wait: Option<Duration>) -> Self {
        let failure = Failure::new(cause)
            .with_reporter(Reporter::Local)
            .with_processed(Processed::No)
            .with_retry_after(wait);
        Self { reason, failure }
    }
}

/// Returns whether the gateway rejected the last attempt of a call, so that it reached no upstream.
pub(crate) fn is_rejected(error: &BoxError) -> bool {
    find_source::<Rejection>(&**error).is_some() || find_source::<CircuitOpen>(&**error).is_some()
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

impl Error for Rejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.failure)
    }
}
