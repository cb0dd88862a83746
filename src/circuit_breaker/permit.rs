use std::{error::Error, num::NonZeroU64, time::Duration};

use super::{
    CircuitOpen,
    circuit::{Core, nanos},
    settings::Verdict,
    state::{Refusal, Ticket},
};
use crate::{
    body::Watch,
    classify::classify_body_error,
    failure::{Cause, Failure, Processed, Reporter},
    sharded::Sharded,
};

/// The right of one call to pass, taken as the inner service is about to be called. Dropped without a result, the call
/// counts as neither success nor failure, unless it was slow already.
#[derive(Debug, Default)]
pub struct Permit {
    /// `None` once the result is in, and of a call that does not count.
    held: Option<Held>,
}

/// Goes by value wherever it goes out of line: see [`Watch`].
#[derive(Debug)]
struct Held {
    core: Sharded<Core>,
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
    pub(super) fn of(core: Option<Sharded<Core>>) -> Self {
        let ticket = Ticket { generation: 0, probe: None };
        Self { held: core.map(|core| Held { core, ticket, started: None }) }
    }

    /// Whether the call may pass, where that needs no more than a glance.
    #[inline]
    pub(crate) fn admit_at_once(&mut self) -> bool {
        let Some(held) = &mut self.held else { return true };
        let ticket = held.core.admit_at_once();
        if let Some(ticket) = ticket {
            held.ticket = ticket;
        }
        ticket.is_some()
    }

    /// The same of a call that may pass, or why it may not.
    #[cold]
    pub(super) fn admit(mut self) -> Result<Self, (Sharded<Core>, Refusal)> {
        let Some(held) = &mut self.held else { return Ok(self) };
        if let Err(refusal) = held.core.admit(&mut held.ticket) {
            return Err((held.core.clone(), refusal));
        }
        held.started = held.core.settings.slow.map(|_| started(held.core.now()));
        Ok(self)
    }

    /// As [`admit`](Self::admit), but a circuit that only watches refuses nobody: such a call does not count.
    #[cold]
    pub(crate) fn pass(self) -> Result<Self, Box<CircuitOpen>> {
        match self.admit() {
            Ok(admitted) => Ok(admitted),
            Err((core, _)) if core.settings.shadow => Ok(Self::default()),
            Err((core, refusal)) => Err(Box::new(CircuitOpen::new(&core, refusal))),
        }
    }

    /// Refuses the call, whatever has happened since that was promised.
    #[cold]
    pub(super) fn reject(mut self) -> Result<Self, Box<CircuitOpen>> {
        let Some(Held { core, .. }) = self.held.take() else { return Ok(self) };
        let refusal = core.reject();
        Err(Box::new(CircuitOpen::new(&core, refusal)))
    }

    /// Whether the result is still to come.
    #[inline]
    pub(super) const fn counts(&self) -> bool {
        self.held.is_some()
    }

    /// Out of here, if the result is still to come.
    #[inline]
    pub(super) fn if_counts(self) -> Option<Self> {
        self.held.is_some().then_some(self)
    }

    /// Takes what the classifier said of the call, if that counts at once. A success does not, since it may yet turn out
    /// to be none.
    #[cold]
    pub(crate) fn judge(mut self, failure: Failure) -> Self {
        let Some(held) = &self.held else { return self };
        // Asked while this holds its place: who is asked may panic, and says nothing of the upstream then.
        let verdict = held.core.settings.verdict(&failure);
        if verdict == Verdict::Success {
            return self;
        }
        if let Some(held) = self.held.take() {
            if verdict == Verdict::Failure {
                held.settle(Some(failure));
            } else {
                // However long it took.
                held.forget();
            }
        }
        self
    }

    /// The service failed, in place of a response. A classifier that takes that for no failure makes it a success.
    #[cold]
    pub(crate) fn failed(self, failure: Option<Failure>) {
        let mut judged = match failure {
            Some(failure) => self.judge(failure),
            None => self,
        };
        if let Some(held) = judged.held.take() {
            held.settle(None);
        }
    }
}

impl Held {
    #[cold]
    fn settle(self, failure: Option<Failure>) {
        if failure.is_none() && !self.is_slow() {
            return self.core.succeeded(self.ticket);
        }
        self.core.failed(self.ticket, failure.unwrap_or(SLOW));
    }

    #[cold]
    fn end_early(self) {
        if self.is_slow() {
            self.settle(None);
        } else {
            self.forget();
        }
    }

    /// Neither success nor failure.
    #[cold]
    fn forget(self) {
        self.core.cancel(self.ticket);
    }

    fn is_slow(&self) -> bool {
        let Some(started) = self.started else { return false };
        let took = nanos(self.core.now()).saturating_sub(started.get() - 1);
        self.core.settings.slow.is_some_and(|limit| took >= nanos(limit))
    }
}

fn started(now: Duration) -> NonZeroU64 {
    NonZeroU64::MIN.saturating_add(nanos(now))
}

impl Watch for Permit {
    #[inline]
    fn panicked(mut self) {
        if let Some(held) = self.held.take() {
            held.settle(Some(LOCAL));
        }
    }

    #[inline]
    fn complete(mut self) {
        match self.held.take() {
            None => {}
            Some(Held { core, ticket: Ticket { generation, probe: None }, started: None }) => {
                core.count_success(generation);
            }
            Some(held) => held.settle(None),
        }
    }

    #[cold]
    fn fail(self, error: &(dyn Error + 'static)) {
        self.failed(Some(classify_body_error(error)));
    }
}

impl Drop for Permit {
    #[inline]
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            held.end_early();
        }
    }
}
