use std::{error::Error, time::Duration};

use tokio::time::Instant;

use super::{
    circuit::Core,
    settings::CountAs,
    state::{Admission, Outcome, Rejection},
};
use crate::{
    Cause, Failure, Processed, Reporter, body::Watch, classify::classify_body_error,
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
}

const PANIC: Failure = Failure::new(Cause::Unknown).with_reporter(Reporter::Local);

const SLOW: Failure = Failure::new(Cause::HttpResponseTimeout)
    .with_reporter(Reporter::Local)
    .with_processed(Processed::Maybe);

impl Permit {
    /// Admits a call, or returns the circuit and the reason for the rejection.
    pub(super) fn acquire(core: Sharded<Core>) -> Result<Self, (Sharded<Core>, Rejection)> {
        let mut permit = Self { core, admission: Admission::default(), started: None };
        if let Err(rejection) = permit.core.admit(&mut permit.admission) {
            return Err((permit.core.clone(), rejection));
        }
        if permit.core.settings.slow.is_some() {
            permit.started = Some(Instant::now());
        }
        Ok(permit)
    }

    /// Records the outcome of a classified call, unless it is a success so far. Then it returns the permit.
    pub(super) fn classified(mut self, failure: Option<Failure>) -> Option<Self> {
        let Some(failure) = failure else { return Some(self) };
        // `count_if` may panic. The permit is dropped without a result then.
        match self.core.settings.count_as(&failure) {
            CountAs::Success => return Some(self),
            CountAs::Failure => self.record(Outcome::Failure(failure)),
            // Even if it was slow.
            CountAs::Neither => self.record(Outcome::Cancelled),
        }
        None
    }

    /// Records `outcome`, or a failure if the call was slow.
    fn finish(&mut self, outcome: Outcome) {
        let is_slow = |limit: Duration| self.started.is_some_and(|it| it.elapsed() >= limit);
        let is_slow = self.core.settings.slow.is_some_and(is_slow);
        self.record(if is_slow { Outcome::Failure(SLOW) } else { outcome });
    }

    /// Records `outcome`. Afterwards there is nothing left to record.
    fn record(&mut self, outcome: Outcome) {
        self.started = None;
        let admission = Admission { probe: self.admission.probe.take(), ..self.admission };
        self.core.record(admission, outcome);
    }
}

impl Watch for Permit {
    fn panicked(mut self) {
        self.record(Outcome::Failure(PANIC));
    }

    fn complete(mut self) {
        self.finish(Outcome::Success);
    }

    fn fail(self, error: &(dyn Error + 'static)) {
        if let Some(permit) = self.classified(Some(classify_body_error(error))) {
            permit.complete();
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.finish(Outcome::Cancelled);
    }
}
