use std::{
    pin::{Pin, pin},
    task::{Context, Poll},
};

use tokio::{
    task::coop::unconstrained,
    time::{Sleep, sleep},
};

use super::{circuit::Core, settings::WhenOpen};
use crate::sharded::Sharded;

/// What a service said of its readiness, and what it waits for.
#[derive(Debug)]
pub(super) struct Readiness {
    when: When,
    /// It said that it was ready, without asking the inner service: to reject the call.
    refusing: bool,
    /// The inner service was asked since the last call, so it may keep something for the next.
    pub(super) asked: bool,
    waiter: Option<Waiter>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Reject,
    NotReady,
    /// It never rejects.
    Shadow,
}

#[derive(Debug)]
struct Waiter {
    core: Sharded<Core>,
    id: u64,
    /// Boxed: it is pinned, and a service is not.
    sleep: Option<Pin<Box<Sleep>>>,
}

/// Whether the inner service is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Ask,
    Refuse,
}

impl Readiness {
    pub(super) const fn new(when_open: WhenOpen, shadow: bool) -> Self {
        let when = match when_open {
            _ if shadow => When::Shadow,
            WhenOpen::Reject => When::Reject,
            WhenOpen::NotReady => When::NotReady,
        };
        Self { when, refusing: false, asked: false, waiter: None }
    }

    pub(super) const fn fresh(&self) -> Self {
        Self { when: self.when, refusing: false, asked: false, waiter: None }
    }

    /// Whether nothing speaks against asking the inner service, at a glance.
    #[inline]
    pub(super) fn may_ask(&mut self, core: &Core) -> bool {
        core.lets_all_pass() && self.waiter.is_none() && !self.refusing
    }

    /// Looks closer.
    #[cold]
    pub(super) fn look(&mut self, core: &Sharded<Core>, cx: &mut Context<'_>) -> Poll<Verdict> {
        self.refusing = false;
        if self.when == When::Shadow || core.refuses().is_none() {
            self.waiter = None;
            return Poll::Ready(Verdict::Ask);
        }
        if self.when == When::NotReady {
            return self.wait(core, cx).map(|()| Verdict::Ask);
        }
        self.refusing = true;
        Poll::Ready(Verdict::Refuse)
    }

    /// Ready once a call would pass.
    fn wait(&mut self, core: &Sharded<Core>, cx: &mut Context<'_>) -> Poll<()> {
        let waiter = self.waiter(core);
        while let Some(refusal) = core.wait(waiter.id, cx.waker()) {
            // What is forced has no end of its own; whoever ends it wakes.
            let Some(wait) = refusal.wait else { return Poll::Pending };
            // Made anew each time: the circuit may have opened for longer meanwhile.
            let sleep = waiter.sleep.insert(Box::pin(sleep(wait)));
            if pin!(unconstrained(sleep)).poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
        self.waiter = None;
        Poll::Ready(())
    }

    /// Waits for the circuit to open, while the inner service is not ready. Whether it has opened already.
    #[cold]
    pub(super) fn watch(&mut self, core: &Sharded<Core>, cx: &mut Context<'_>) -> bool {
        if self.when == When::Shadow {
            return false;
        }
        let id = self.waiter(core).id;
        core.wait(id, cx.waker()).is_some()
    }

    fn waiter(&mut self, core: &Sharded<Core>) -> &mut Waiter {
        self.waiter.get_or_insert_with(|| Waiter {
            core: core.clone(),
            id: core.waiting.id(),
            sleep: None,
        })
    }

    /// Whether the next call is to be rejected.
    #[inline]
    pub(super) const fn refuses(&self) -> bool {
        self.refusing
    }

    /// The same, once.
    pub(super) fn take_refusal(&mut self) -> bool {
        std::mem::take(&mut self.refusing)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.core.waiting.forget(self.id);
    }
}
