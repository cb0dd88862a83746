use std::{error::Error, fmt, sync::Arc, time::Duration};

use super::{
    circuit::Core,
    settings::Verdict,
    state::{Refusal, Ticket},
};
use crate::{Cause, Failure, Processed, Reporter, body::Watch, classify::classify_body_error};

/// The right of one call to pass. Dropped without a result, the call counts as neither success nor failure, unless it
/// was slow already.
pub struct Permit {
    core: Arc<Core>,
    /// `None` once the result is in.
    ticket: Option<Ticket>,
    /// Only where slow calls count.
    started: Option<Duration>,
}

const LOCAL: Failure = Failure::new(Cause::Unknown).with_reporter(Reporter::Local);

const SLOW: Failure = Failure::new(Cause::HttpResponseTimeout)
    .with_reporter(Reporter::Local)
    .with_processed(Processed::Maybe);

impl Permit {
    #[inline]
    pub(super) fn take(core: &Arc<Core>) -> Result<Self, Refusal> {
        let ticket = Some(core.admit()?);
        let started = core.settings.slow.map(|_| core.now());
        Ok(Self { core: Arc::clone(core), ticket, started })
    }

    /// Takes what the classifier said of the call, if that counts at once. A success does not, since it may yet turn out
    /// to be none.
    #[cold]
    pub(super) fn judge(&mut self, failure: Failure) {
        match self.core.settings.verdict(&failure) {
            Verdict::Success => {}
            Verdict::Failure => self.settle(Some(failure)),
            Verdict::Neither => self.cancel(),
        }
    }

    /// The service failed, in place of a response. A classifier that takes that for no failure makes it a success.
    #[cold]
    pub(super) fn failed(&mut self, failure: Option<Failure>) {
        if let Some(failure) = failure {
            self.judge(failure);
        }
        self.settle(None);
    }

    /// The service panicked.
    #[cold]
    pub(super) fn panicked(&mut self) {
        self.settle(Some(LOCAL));
    }

    #[inline]
    fn settle(&mut self, failure: Option<Failure>) {
        if let Some(ticket) = self.ticket.take() {
            let failure = failure.or_else(|| self.is_slow().then_some(SLOW));
            self.core.record(ticket, failure);
        }
    }

    /// Without a result: neither success nor failure, unless it was slow already.
    #[cold]
    fn cancel(&mut self) {
        if self.is_slow() {
            self.settle(None);
        } else if let Some(ticket) = self.ticket.take() {
            self.core.cancel(ticket);
        }
    }

    #[inline]
    fn is_slow(&self) -> bool {
        let (Some(limit), Some(started)) = (self.core.settings.slow, self.started) else {
            return false;
        };
        self.core.now().saturating_sub(started) >= limit
    }
}

impl Watch for Permit {
    #[inline]
    fn end(&mut self, error: Option<&(dyn Error + 'static)>) {
        let failure = error.map(classify_body_error);
        let is_end = |failure: &Failure| self.core.settings.verdict(failure) == Verdict::Failure;
        if failure.as_ref().is_none_or(is_end) {
            self.settle(failure);
        } else {
            self.cancel();
        }
    }
}

impl Drop for Permit {
    #[inline]
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.cancel();
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(&self.ticket).finish()
    }
}
