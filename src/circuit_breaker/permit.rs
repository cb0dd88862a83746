use std::error::Error;

use seawall_core::{Cause, Failure, Processed, Reporter, classify::classify_body_error};
use tokio::time::Instant;

use super::{CircuitOpen, circuit::CircuitInner, settings::CountAs, state_machine::Admission};
use crate::{body::CompletionObserver, sharded_arc::ShardedArc};

/// An admitted call. Its outcome is recorded at the latest when the permit is dropped.
#[derive(Debug)]
pub struct Permit {
    circuit: ShardedArc<CircuitInner>,
    admission: Admission,
    /// `None` unless slow calls count.
    started: Option<Instant>,
    status: Status,
}

/// The progress of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// It counts as neither success nor failure if it ends now, unless it is slow.
    InFlight,
    /// It counts as a success, unless it is slow.
    Succeeded,
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
        Self { circuit, admission, started, status: Status::InFlight }
    }

    /// Admits a call, or returns the error of a rejected one. Returns no permit if the call does
    /// not count.
    #[inline]
    pub(super) fn acquire(
        circuit: ShardedArc<CircuitInner>,
    ) -> Result<Option<Self>, Box<CircuitOpen>> {
        let Some(admission) = circuit.try_admit() else { return Self::acquire_slot(circuit) };
        let started = circuit.settings.slow_call_threshold.map(|_| Instant::now());
        Ok(Some(Self::new(circuit, admission, started)))
    }

    /// Acquires a permit of a circuit that does not admit every call.
    fn acquire_slot(circuit: ShardedArc<CircuitInner>) -> Result<Option<Self>, Box<CircuitOpen>> {
        let mut permit = Self::new(circuit, Admission::default(), None);
        match permit.circuit.admit(&mut permit.admission) {
            Ok(()) => {}
            Err(_) if permit.circuit.settings.dry_run => return Ok(None),
            Err(rejection) => return Err(Box::new(CircuitOpen::new(&permit.circuit, rejection))),
        }
        permit.started = permit.circuit.settings.slow_call_threshold.map(|_| Instant::now());
        Ok(Some(permit))
    }

    /// Records a classified failure, unless it counts as a success.
    pub(super) fn on_failure(&mut self, failure: Failure) {
        // `failure_predicate` may panic. The status is still `InFlight` then.
        match self.circuit.settings.count_as(&failure) {
            CountAs::Success => {}
            CountAs::Failure => self.record_failure(failure),
            // Even if the call was slow.
            CountAs::Ignored => {
                self.status = Status::Recorded;
                self.circuit.cancel(self.admission);
            }
        }
    }

    /// Records an error of the service. An error without a failure counts as a success.
    pub(super) fn on_service_error(&mut self, failure: Option<Failure>) {
        if let Some(failure) = failure {
            self.on_failure(failure);
        }
        self.on_complete();
    }

    fn record_failure(&mut self, failure: Failure) {
        // Set first, because user code that reports the failure may panic.
        self.status = Status::Recorded;
        self.circuit.record_failure(self.admission, failure);
    }

    fn is_slow(&self) -> bool {
        let Some(started) = self.started else { return false };
        self.circuit.settings.slow_call_threshold.is_some_and(|limit| started.elapsed() >= limit)
    }
}

impl CompletionObserver for Permit {
    fn on_panic(&mut self) {
        self.record_failure(PANIC);
    }

    fn on_complete(&mut self) {
        if self.status == Status::InFlight {
            self.status = Status::Succeeded;
        }
    }

    fn on_error(&mut self, error: &(dyn Error + 'static)) {
        self.on_service_error(Some(classify_body_error(error)));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        match self.status {
            Status::Recorded => {}
            _ if self.is_slow() => self.circuit.record_failure(self.admission, SLOW_CALL),
            Status::Succeeded => self.circuit.record_success(self.admission),
            Status::InFlight => self.circuit.cancel(self.admission),
        }
    }
}
