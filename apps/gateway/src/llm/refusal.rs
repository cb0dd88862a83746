//! Errors of the gateway's own.

use std::{error::Error, fmt, time::Duration};

use seawall::{Cause, Failure, Processed, Reporter};

/// A request that was not sent to any upstream, or not to the one it was meant for.
#[derive(Debug)]
pub(super) struct Refusal {
    what: &'static str,
    failure: Failure,
}

impl Refusal {
    /// A client asks too often.
    pub(super) const fn too_often(wait: Duration) -> Self {
        Self::new("the client asks too often", Cause::RateLimited, Some(wait))
    }

    /// A web page asks, in the browser of somebody who may not know of it.
    pub(super) const fn foreign_page() -> Self {
        Self::new("a foreign page asks", Cause::HttpRequestDenied, None)
    }

    /// The circuit of every upstream is open.
    pub(super) const fn all_open(wait: Duration) -> Self {
        Self::new("the circuit of every upstream is open", Cause::CircuitOpen, Some(wait))
    }

    /// A circuit opened just when the request was to be sent; another upstream can have it at once.
    pub(super) const fn elsewhere() -> Self {
        Self::new("another upstream is to be asked", Cause::DestinationUnavailable, None)
    }

    const fn new(what: &'static str, cause: Cause, wait: Option<Duration>) -> Self {
        let failure = Failure::new(cause)
            .with_reporter(Reporter::Local)
            .with_processed(Processed::No)
            .with_retry_after(wait);
        Self { what, failure }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
}

impl Error for Refusal {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.failure)
    }
}
