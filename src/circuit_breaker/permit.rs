use std::{
    error::Error,
    mem::{self, ManuallyDrop},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use super::{
    CircuitOpen,
    circuit::Core,
    settings::Verdict,
    state::{Refusal, Ticket},
};
use crate::{Cause, Failure, Processed, Reporter, body::Watch, classify::classify_body_error};

/// The right of one call to pass, taken as the inner service is about to be called. Dropped without a result, the call
/// counts as neither success nor failure, unless it was slow already, or the inner service panicked.
#[derive(Debug)]
pub struct Permit {
    core: Arc<Core>,
    // Those of the ticket: as one they would make the permit a word larger, and it is moved with each call.
    generation: u64,
    probe: Option<NonZeroU32>,
    /// Nanoseconds, as the circuit counts them. Zero, unless slow calls count.
    started: u64,
    /// The result is in.
    over: bool,
    /// The inner service is at work. Still so when the permit is dropped, it has panicked.
    entered: bool,
}

const LOCAL: Failure = Failure::new(Cause::Unknown).with_reporter(Reporter::Local);

const SLOW: Failure = Failure::new(Cause::HttpResponseTimeout)
    .with_reporter(Reporter::Local)
    .with_processed(Processed::Maybe);

impl Permit {
    /// Gives `core` back, if there is none.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "out of line, the permit is moved once more")]
    pub(super) fn take(core: Arc<Core>) -> Result<Self, (Arc<Core>, Refusal)> {
        match core.admit() {
            Ok(Ticket { generation, probe }) => {
                let started = core.settings.slow.map_or(0, |_| nanos(core.now()));
                Ok(Self { core, generation, probe, started, over: false, entered: false })
            }
            Err(refusal) => Err((core, refusal)),
        }
    }

    /// As [`take`](Self::take), but a circuit that only watches refuses nobody: `None`, the call does not count.
    #[cfg(feature = "standard")]
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "out of line, the permit is moved once more")]
    pub(super) fn pass(core: Arc<Core>) -> Result<Option<Self>, Box<CircuitOpen>> {
        match Self::take(core) {
            Ok(permit) => Ok(Some(permit)),
            Err((core, _)) if core.settings.shadow => Ok(None),
            Err((core, refusal)) => Err(Box::new(CircuitOpen::new(&core, refusal))),
        }
    }

    /// What it was admitted by, once.
    #[inline]
    fn take_ticket(&mut self) -> Option<Ticket> {
        let Self { generation, probe, .. } = *self;
        (!mem::replace(&mut self.over, true)).then_some(Ticket { generation, probe })
    }

    /// Takes what the classifier said of the call, if that counts at once. A success does not, since it may yet turn out
    /// to be none.
    #[cold]
    pub(crate) fn judge(&mut self, failure: Failure) {
        match self.core.settings.verdict(&failure) {
            Verdict::Success => {}
            Verdict::Failure => self.settle(Some(failure)),
            // However long it took.
            Verdict::Neither => {
                if let Some(ticket) = self.take_ticket() {
                    self.core.cancel(ticket);
                }
            }
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

    #[inline]
    fn settle(&mut self, failure: Option<Failure>) {
        if let Some(ticket) = self.take_ticket() {
            if failure.is_none() && !self.is_slow() {
                return self.core.succeeded(ticket);
            }
            self.core.failed(ticket, failure.unwrap_or(SLOW));
        }
    }

    #[cold]
    fn end_early(&mut self) {
        if self.entered {
            self.settle(Some(LOCAL));
        }
        self.cancel();
    }

    /// Without a result: neither success nor failure, unless it was slow already.
    #[cold]
    fn cancel(&mut self) {
        if self.is_slow() {
            self.settle(None);
        } else if let Some(ticket) = self.take_ticket() {
            self.core.cancel(ticket);
        }
    }

    #[inline]
    fn is_slow(&self) -> bool {
        let Some(limit) = self.core.settings.slow else { return false };
        Duration::from_nanos(nanos(self.core.now()).saturating_sub(self.started)) >= limit
    }
}

/// Enough for 584 years.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Watch for Permit {
    #[inline]
    fn enter(&mut self) {
        self.entered = true;
    }

    #[inline]
    fn leave(&mut self) {
        self.entered = false;
    }

    #[inline]
    fn complete(&mut self) {
        self.settle(None);
    }

    #[cold]
    fn fail(&mut self, error: &(dyn Error + 'static)) {
        self.failed(Some(classify_body_error(error)));
    }
}

/// The permit of a call while the inner service makes its future. Dropped by then, that has panicked. Apart from the permit,
/// so that nothing need be written into one that does not panic.
pub(crate) struct Calling(pub(crate) Option<Permit>);

impl Calling {
    #[inline]
    pub(crate) fn left(self) -> Option<Permit> {
        let mut this = ManuallyDrop::new(self);
        this.0.take()
    }
}

impl Drop for Calling {
    #[cold]
    fn drop(&mut self) {
        if let Some(permit) = &mut self.0 {
            permit.enter();
        }
    }
}

impl Drop for Permit {
    #[inline]
    fn drop(&mut self) {
        if !self.over {
            self.end_early();
        }
    }
}
