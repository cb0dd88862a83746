use std::{error::Error, mem, num::NonZeroU64, sync::Arc, time::Duration};

use super::{
    CircuitOpen,
    circuit::{Core, nanos},
    settings::Verdict,
    state::{Refusal, Ticket},
};
use crate::{Cause, Failure, Processed, Reporter, body::Watch, classify::classify_body_error};

/// The right of one call to pass, taken as the inner service is about to be called. Dropped without a result, the call
/// counts as neither success nor failure, unless it was slow already.
#[derive(Debug, Default)]
pub struct Permit {
    /// `None` once the result is in, and of a call that does not count.
    core: Option<Arc<Core>>,
    ticket: Ticket,
    /// Nanoseconds, as the circuit counts them, and one more; `None`, unless slow calls count.
    started: Option<NonZeroU64>,
}

const LOCAL: Failure = Failure::new(Cause::Unknown).with_reporter(Reporter::Local);

const SLOW: Failure = Failure::new(Cause::HttpResponseTimeout)
    .with_reporter(Reporter::Local)
    .with_processed(Processed::Maybe);

impl Permit {
    /// For a call of this circuit, if it has one: to be admitted yet.
    #[inline]
    pub(super) const fn of(core: Option<Arc<Core>>) -> Self {
        Self { core, ticket: Ticket { generation: 0, probe: None }, started: None }
    }

    /// Whether the call may pass, where that needs no more than a glance.
    #[inline]
    pub(crate) fn admit_at_once(&mut self) -> bool {
        let Some(core) = &self.core else { return true };
        let ticket = core.admit_at_once();
        if let Some(ticket) = ticket {
            self.ticket = ticket;
        }
        ticket.is_some()
    }

    /// Whether the call may pass. If not, it does not count.
    #[cold]
    pub(super) fn admit(&mut self) -> Result<(), (Arc<Core>, Refusal)> {
        let Some(core) = self.core.take() else { return Ok(()) };
        match core.admit() {
            Ok(ticket) => self.ticket = ticket,
            Err(refusal) => return Err((core, refusal)),
        }
        self.started = core.settings.slow.map(|_| started(core.now()));
        self.core = Some(core);
        Ok(())
    }

    /// As [`admit`](Self::admit), but a circuit that only watches refuses nobody.
    #[cold]
    pub(crate) fn pass(&mut self) -> Result<(), Box<CircuitOpen>> {
        match self.admit() {
            Ok(()) => Ok(()),
            Err((core, _)) if core.settings.shadow => Ok(()),
            Err((core, refusal)) => Err(Box::new(CircuitOpen::new(&core, refusal))),
        }
    }

    /// Refuses the call, whatever has happened since that was promised.
    #[cold]
    pub(super) fn reject(&mut self) -> Option<(Arc<Core>, Refusal)> {
        let core = self.core.take()?;
        let refusal = core.reject();
        Some((core, refusal))
    }

    /// Whether the result is still to come.
    #[inline]
    pub(super) const fn counts(&self) -> bool {
        self.core.is_some()
    }

    /// Out of here, if the result is still to come.
    #[inline]
    pub(super) fn take(&mut self) -> Option<Self> {
        self.counts().then(|| mem::take(self))
    }

    /// Takes what the classifier said of the call, if that counts at once. A success does not, since it may yet turn out
    /// to be none.
    #[cold]
    pub(crate) fn judge(&mut self, failure: Failure) {
        let Some(core) = &self.core else { return };
        match core.settings.verdict(&failure) {
            Verdict::Success => {}
            Verdict::Failure => self.settle(Some(failure)),
            // However long it took.
            Verdict::Neither => self.forget(),
        }
    }

    /// The service failed, in place of a response. A classifier that takes that for no failure makes it a success.
    #[cold]
    pub(crate) fn failed(&mut self, failure: Option<Failure>) {
        if let Some(failure) = failure {
            self.judge(failure);
        }
        self.settle(None);
    }

    #[cold]
    fn settle(&mut self, failure: Option<Failure>) {
        let Some(core) = self.core.take() else { return };
        if failure.is_none() && !self.is_slow(&core) {
            return core.succeeded(self.ticket);
        }
        core.failed(self.ticket, failure.unwrap_or(SLOW));
    }

    #[cold]
    fn end_early(&mut self) {
        if self.core.as_deref().is_some_and(|core| self.is_slow(core)) {
            self.settle(None);
        } else {
            self.forget();
        }
    }

    /// Neither success nor failure.
    #[cold]
    fn forget(&mut self) {
        if let Some(core) = self.core.take() {
            core.cancel(self.ticket);
        }
    }

    fn is_slow(&self, core: &Core) -> bool {
        let Some(started) = self.started else { return false };
        let took = nanos(core.now()).saturating_sub(started.get() - 1);
        core.settings.slow.is_some_and(|limit| took >= nanos(limit))
    }
}

fn started(now: Duration) -> NonZeroU64 {
    NonZeroU64::MIN.saturating_add(nanos(now))
}

impl Watch for Permit {
    #[cold]
    fn panicked(&mut self) {
        self.settle(Some(LOCAL));
    }

    #[inline]
    fn complete(&mut self) {
        if self.started.is_some() {
            return self.settle(None);
        }
        if let Some(core) = self.core.take() {
            core.succeeded(self.ticket);
        }
    }

    #[cold]
    fn fail(&mut self, error: &(dyn Error + 'static)) {
        self.failed(Some(classify_body_error(error)));
    }
}

impl Drop for Permit {
    #[inline]
    fn drop(&mut self) {
        if self.counts() {
            self.end_early();
        }
    }
}
