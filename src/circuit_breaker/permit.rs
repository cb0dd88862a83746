use std::error::Error;

use tokio::time::Instant;

use super::{CircuitOpen, circuit::Core, settings::CountAs, state::Admission};
use crate::{
    Cause, Failure, Processed, Reporter, body::{Observer, Watch}, classify::classify_body_error,
    sharded::Sharded,
};

/// An admitted call that has no result yet. Dropped without a result, the call counts as neither success nor failure, unless
/// it was slow already.
#[derive(Debug)]
pub struct Permit {
    core: Sharded<Core>,
    admission: Admission,
    /// `None` unless slow calls count.
    started: Option<Instant>,
    has_succeeded: bool,
}

const PANIC: Failure = Failure::new(Cause::Unknown).with_reporter(Reporter::Local);

const SLOW: Failure = Failure::new(Cause::HttpResponseTimeout)
    .with_reporter(Reporter::Local)
    .with_processed(Processed::Maybe);

impl Permit {
    /// Admits a call, or returns the error of a rejected one. Returns no permit if the call does not count.
    #[inline]
    pub(super) fn acquire(core: Sharded<Core>) -> Result<Option<Self>, Box<CircuitOpen>> {
        let Some(admission) = core.try_admit() else { return Self::acquire_slot(core) };
        let started = core.settings.slow.map(|_| Instant::now());
        Ok(Some(Self { core, admission, started, has_succeeded: false }))
    }

    /// The same for a circuit that does not admit every call.
    fn acquire_slot(core: Sharded<Core>) -> Result<Option<Self>, Box<CircuitOpen>> {
        let mut permit = Self { core, admission: Admission::default(), started: None, has_succeeded: false };
        match permit.core.admit(&mut permit.admission) {
            Ok(()) => {}
            Err(_) if permit.core.settings.shadow => return Ok(None),
            Err(rejection) => return Err(Box::new(CircuitOpen::new(&permit.core, rejection))),
        }
        permit.started = permit.core.settings.slow.map(|_| Instant::now());
        Ok(Some(permit))
    }

    /// Records the outcome of a classified call, unless it is a success so far. Then it returns the permit.
    pub(super) fn classified(&mut self, failure: Failure) -> bool {
        // `count_if` may panic. The permit is dropped without a result then.
        match self.core.settings.count_as(&failure) {
            CountAs::Success => return false,
            CountAs::Failure => self.record_failure(failure),
            // Even if it was slow.
            CountAs::Neither => {
                let admission = self.take();
                self.core.cancel(admission);
            }
        }
        true
    }

    /// Records the outcome of a call that ended with an error. An error that is no failure is a success.
    pub(super) fn failed(&mut self, failure: Option<Failure>) {
        if !failure.is_some_and(|failure| self.classified(failure)) {
            self.complete();
        }
    }

    fn record_failure(&mut self, failure: Failure) {
        let admission = self.take();
        self.core.record_failure(admission, failure);
    }

    /// Takes the admission to record its outcome. Afterwards there is nothing left to record when this is dropped.
    #[inline]
    fn take(&mut self) -> Admission {
        self.started = None;
        Admission { probe: self.admission.probe.take(), ..self.admission }
    }

    #[inline]
    fn is_slow(&self) -> bool {
        let Some(started) = self.started else { return false };
        self.core.settings.slow.is_some_and(|limit| started.elapsed() >= limit)
    }
}

impl Observer<Permit> {
    pub(super) fn classified(&mut self, failure: Failure) {
        if let Some(permit) = self.get_mut()
            && permit.classified(failure)
        {
            self.take();
        }
    }
}

impl Watch for Permit {
    fn panicked(&mut self) {
        self.record_failure(PANIC);
    }

    /// The success is recorded as the permit is dropped.
    #[inline]
    fn complete(&mut self) {
        self.has_succeeded = true;
    }

    fn fail(&mut self, error: &(dyn Error + 'static)) {
        self.failed(Some(classify_body_error(error)));
    }
}

impl Drop for Permit {
    #[inline]
    fn drop(&mut self) {
        if self.is_slow() {
            return self.record_failure(SLOW);
        }
        if self.has_succeeded {
            self.core.record_success(self.admission);
        } else {
            self.core.cancel(self.admission);
        }
    }
}
