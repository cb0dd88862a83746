use std::{error::Error, fmt, sync::Arc, time::Duration};

use seawall_core::{Cause, Failure, Processed, Reporter};

use super::{circuit::CircuitInner, state_machine::Rejection};

/// A circuit is open: the call was rejected without asking the inner service.
///
/// Its `source()` is a [`Failure`] of cause [`CircuitOpen`](Cause::CircuitOpen), [not processed](Processed::No), with the
/// wait as its `retry_after`. So [`RetryLayer`](crate::retry::RetryLayer) does not try again unless told to, and
/// `ErrorResponseLayer` answers 503 with `Retry-After`.
#[derive(Clone, Debug)]
pub struct CircuitOpen {
    key: Option<Arc<str>>,
    opened_by: Option<Failure>,
    time_open: Duration,
    /// As every layer reads it, so that it can be the source.
    failure: Failure,
}

impl CircuitOpen {
    #[cold]
    pub(super) fn new(circuit: &CircuitInner, rejection: Rejection) -> Self {
        let Rejection { failure: opened_by, wait, time_open } = rejection;
        let failure = Failure::new(Cause::CircuitOpen)
            .with_reporter(Reporter::Local)
            .with_processed(Processed::No)
            .with_retry_after(wait);
        Self { key: circuit.key.clone(), opened_by, time_open, failure }
    }

    /// Counts the rejection of a call.
    pub(super) fn report(&self) {
        crate::metrics::record_circuit_rejection(self.key.as_ref());
    }

    /// Which circuit, if there is one for each key, or it was [named](crate::circuit_breaker::CircuitBreakerLayer::named).
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The failure that opened it; `None` if it was [forced](super::Circuit::force_open).
    #[must_use]
    pub const fn opened_by(&self) -> Option<&Failure> {
        self.opened_by.as_ref()
    }

    /// Time until a call may pass again: then a few are let through to find out how the upstream is. One second while
    /// those are out. `None` if it was [forced](super::Circuit::force_open).
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.failure.retry_after()
    }

    /// Time since it opened.
    #[must_use]
    pub const fn time_open(&self) -> Duration {
        self.time_open
    }
}

impl fmt::Display for CircuitOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("circuit open")?;
        // A key may hold whatever a caller asked for: `Debug` escapes it.
        if let Some(key) = &self.key {
            write!(f, " for {key:?}")?;
        }
        match &self.opened_by {
            Some(failure) => write!(f, ": {failure}"),
            None => f.write_str(", forced"),
        }
    }
}

impl Error for CircuitOpen {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.failure)
    }
}
