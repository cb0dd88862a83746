use std::{error::Error, fmt, sync::Arc, time::Duration};

use seawall_core::{Cause, Failure, Processed, Reporter};

use super::{circuit::CircuitInner, state_machine::Rejection};

/// The error of a call that was rejected because the circuit is open. The inner service was not
/// called.
///
/// Its `source()` is a [`Failure`] with the cause [`CircuitOpen`](Cause::CircuitOpen), with
/// [`Processed::No`], and with the same [`retry_after`](Self::retry_after).
/// [`RetryLayer`](crate::retry::RetryLayer) does not retry it unless configured to.
/// `ErrorResponseLayer` responds with 503 and `Retry-After`.
#[derive(Clone, Debug)]
pub struct CircuitOpen {
    key: Option<Arc<str>>,
    opened_by: Option<Failure>,
    time_open: Duration,
    /// The source. It is stored, because `source()` returns a reference.
    failure: Failure,
}

impl CircuitOpen {
    #[cold]
    pub(super) fn new(circuit: &CircuitInner, rejection: Rejection) -> Self {
        let Rejection { opened_by, wait, time_open } = rejection;
        let failure = Failure::new(Cause::CircuitOpen)
            .with_reporter(Reporter::Local)
            .with_processed(Processed::No)
            .with_retry_after(wait);
        Self { key: circuit.key.clone(), opened_by, time_open, failure }
    }

    /// Reports the rejection of a call.
    pub(super) fn report(&self, circuit: &CircuitInner) {
        crate::metrics::record_circuit_rejection(self.key.as_ref());
        circuit.report_rejection(self.time_open, self.opened_by.as_ref());
    }

    /// Returns the key or the [name](super::CircuitBreakerLayer::named) of the circuit, if it has
    /// one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Returns the failure that opened the circuit, or `None` if it was [forced
    /// open](super::Circuit::force_open).
    #[must_use]
    pub const fn opened_by(&self) -> Option<&Failure> {
        self.opened_by.as_ref()
    }

    /// Returns the time until the circuit admits probes. Returns one second if the circuit is
    /// half-open and admits no further probe. Returns `None` if the circuit was [forced
    /// open](super::Circuit::force_open).
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.failure.retry_after()
    }

    /// Returns the time since the circuit opened.
    #[must_use]
    pub const fn time_open(&self) -> Duration {
        self.time_open
    }
}

impl fmt::Display for CircuitOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("circuit open")?;
        // A caller may have chosen the text of a key. `Debug` escapes it.
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
