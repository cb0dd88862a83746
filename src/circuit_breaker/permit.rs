use std::error::Error;

use http::{HeaderMap, StatusCode};
use seawall_core::{
    Cause, Failure, Processed, Reporter, classify::classify_body_error,
    internal::classify_grpc_status,
};
use tokio::time::Instant;

use super::{CircuitOpen, circuit::CircuitInner, settings::CountAs, state_machine::Admission};
use crate::{body::CompletionObserver, sharded_arc::ShardedArc, time_limit::BodyWait};

/// The permit of an admitted call. Dropping it records the outcome, unless that has already
/// happened.
#[derive(Debug)]
pub struct Permit {
    circuit: ShardedArc<CircuitInner>,
    admission: Admission,
    /// The start of the call, if the circuit counts slow calls.
    started: Option<Instant>,
    /// The waits for the caller's request body, which do not make a call slow.
    body_wait: Option<BodyWait>,
    progress: Progress,
}

/// The progress of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// If the permit is dropped now, only a slow call counts, as a failure.
    InFlight,
    /// If the permit is dropped now, a slow call counts as a failure, and any other as a success.
    Succeeded,
    /// The outcome has been recorded. Dropping the permit has no effect.
    Recorded,
}

const PANIC: Failure = Failure::new(Cause::Unknown).with_reporter(Reporter::Local);

const SLOW_CALL: Failure = Failure::new(Cause::HttpResponseTimeout)
    .with_reporter(Reporter::Local)
    .with_processed(Processed::Maybe);

impl Permit {
    const fn new(
        circuit: ShardedArc<CircuitInner>,
        admission: Admission,
        started: Option<Instant>,
    ) -> Self {
        Self { circuit, admission, started, body_wait: None, progress: Progress::InFlight }
    }

    /// Admits a call, or returns an error if the circuit rejects it. Returns `Ok(None)` for a call
    /// that a dry run lets through.
    #[inline]
    pub(super) fn acquire(
        circuit: ShardedArc<CircuitInner>,
    ) -> Result<Option<Self>, Box<CircuitOpen>> {
        let Some(admission) = circuit.admit_if_closed() else {
            return Self::acquire_limited(circuit);
        };
        let started = circuit.settings.slow_call_threshold.map(|_| Instant::now());
        Ok(Some(Self::new(circuit, admission, started)))
    }

    /// Acquires a permit while the circuit may reject calls.
    fn acquire_limited(
        circuit: ShardedArc<CircuitInner>,
    ) -> Result<Option<Self>, Box<CircuitOpen>> {
        let mut permit = Self::new(circuit, Admission::default(), None);
        match permit.circuit.admit(&mut permit.admission) {
            Ok(()) => {}
            Err(_) if permit.circuit.settings.dry_run => return Ok(None),
            Err(rejection) => {
                let error = CircuitOpen::new(&permit.circuit, rejection);
                error.report(&permit.circuit);
                return Err(Box::new(error));
            }
        }
        permit.started = permit.circuit.settings.slow_call_threshold.map(|_| Instant::now());
        Ok(Some(permit))
    }

    /// Records a classified failure, unless it counts as a success.
    pub(super) fn on_failure(&mut self, failure: Failure) {
        // The head of the response may have failed before its body does.
        if self.progress == Progress::Recorded {
            return;
        }
        // `failure_predicate` may panic, so `progress` changes only after it has returned.
        match self.circuit.settings.count_as(&failure) {
            CountAs::Success => {}
            CountAs::Failure => self.record_failure(failure),
            // An ignored call does not count, even if it was slow.
            CountAs::Ignored => {
                self.progress = Progress::Recorded;
                self.circuit.release_slot(self.admission);
            }
        }
    }

    /// Ends a call with an error of the service. An error that is not classified as a failure
    /// (`None`) counts as a success.
    pub(super) fn finish_with(&mut self, failure: Option<Failure>) {
        if let Some(failure) = failure {
            self.on_failure(failure);
        }
        self.on_complete();
    }

    /// Returns whether slow calls count.
    pub(super) const fn measures_latency(&self) -> bool {
        self.started.is_some()
    }

    pub(super) fn exclude(&mut self, body_wait: Option<BodyWait>) {
        self.body_wait = body_wait;
    }

    fn record_failure(&mut self, failure: Failure) {
        // Set first, because user code that reports the failure may panic.
        self.progress = Progress::Recorded;
        self.circuit.record_failure(self.admission, failure);
    }

    fn is_slow(&self) -> bool {
        let Some(started) = self.started else { return false };
        let waited = self.body_wait.as_ref().map(BodyWait::waited).unwrap_or_default();
        let latency = started.elapsed().saturating_sub(waited);
        self.circuit.settings.slow_call_threshold.is_some_and(|limit| latency >= limit)
    }
}

impl CompletionObserver for Permit {
    fn on_panic(&mut self) {
        if self.progress != Progress::Recorded {
            self.record_failure(PANIC);
        }
    }

    fn on_complete(&mut self) {
        if self.progress == Progress::InFlight {
            self.progress = Progress::Succeeded;
        }
    }

    fn on_trailers(&mut self, trailers: &HeaderMap) {
        self.finish_with(classify_grpc_status(StatusCode::OK, trailers));
    }

    fn on_error(&mut self, error: &(dyn Error + 'static)) {
        self.finish_with(Some(classify_body_error(error)));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        match self.progress {
            Progress::Recorded => {}
            _ if self.is_slow() => self.circuit.record_failure(self.admission, SLOW_CALL),
            Progress::Succeeded => self.circuit.record_success(self.admission),
            Progress::InFlight => self.circuit.release_slot(self.admission),
        }
    }
}
