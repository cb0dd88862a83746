use std::{
    mem,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    task::coop::unconstrained,
    time::{Sleep, sleep},
};

use super::{circuit::CircuitInner, settings::OpenBehavior};
use crate::sharded_arc::ShardedArc;

/// The interval at which a waiting service checks whether a circuit is still forced open.
const FORCED_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The readiness of a service with one circuit for all requests.
#[derive(Debug)]
pub(super) struct Readiness {
    while_open: WhileOpen,
    /// True if `poll_ready` returned ready without polling the inner service. The next call is then
    /// rejected.
    rejects_next_call: bool,
    /// True if the inner service was polled since the last call. It may then hold resources for the
    /// next call.
    pub(super) inner_polled: bool,
    waiter: Option<Waiter>,
}

/// The result of `poll_ready` while the circuit is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WhileOpen {
    Ready,
    Pending,
    /// The readiness of the inner service, because a dry run rejects no call.
    Inner,
}

/// A service that waits for the circuit. Dropping it removes its waker from the circuit.
#[derive(Debug)]
struct Waiter {
    circuit: ShardedArc<CircuitInner>,
    id: u64,
    /// Boxed, because a `Sleep` must be pinned and a service is not.
    sleep: Option<Pin<Box<Sleep>>>,
}

/// The way in which `poll_ready` continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    PollInner,
    RejectNextCall,
}

impl Readiness {
    pub(super) const fn new(open_behavior: OpenBehavior, dry_run: bool) -> Self {
        Self::unpolled(match open_behavior {
            _ if dry_run => WhileOpen::Inner,
            OpenBehavior::Reject => WhileOpen::Ready,
            OpenBehavior::Backpressure => WhileOpen::Pending,
        })
    }

    const fn unpolled(while_open: WhileOpen) -> Self {
        Self { while_open, rejects_next_call: false, inner_polled: false, waiter: None }
    }

    /// Returns the readiness of a clone of the service.
    pub(super) const fn for_clone(&self) -> Self {
        Self::unpolled(self.while_open)
    }

    /// Decides whether to poll the inner service. Returns pending if the service must wait for the
    /// circuit.
    #[inline]
    pub(super) fn decide(
        &mut self,
        circuit: &ShardedArc<CircuitInner>,
        cx: &mut Context<'_>,
    ) -> Poll<Decision> {
        let rejects = !circuit.admits_all()
            && self.while_open != WhileOpen::Inner
            && circuit.rejection().is_some();
        self.rejects_next_call = rejects && self.while_open == WhileOpen::Ready;
        if self.rejects_next_call {
            return Poll::Ready(Decision::RejectNextCall);
        }
        if rejects && self.wait(circuit, cx).is_pending() {
            return Poll::Pending;
        }
        if self.waiter.is_some() {
            self.waiter = None;
        }
        Poll::Ready(Decision::PollInner)
    }

    /// Waits until a call would be admitted.
    fn wait(&mut self, circuit: &ShardedArc<CircuitInner>, cx: &mut Context<'_>) -> Poll<()> {
        let waiter = self.waiter(circuit);
        while let Some(rejection) = circuit.register_waker(waiter.id, cx.waker()) {
            // A circuit that is forced open has no `wait`. `release` wakes the task, unless the
            // thread that calls it is panicking.
            let wait = rejection.wait.unwrap_or(FORCED_POLL_INTERVAL);
            // Each poll replaces the timer, because the circuit may have reopened for another
            // duration.
            let sleep = waiter.sleep.insert(Box::pin(sleep(wait)));
            if pin!(unconstrained(sleep)).poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    /// Registers the task to be woken when the circuit opens. Returns whether the circuit is
    /// already open.
    pub(super) fn register_for_opening(
        &mut self,
        circuit: &ShardedArc<CircuitInner>,
        cx: &mut Context<'_>,
    ) -> bool {
        if self.while_open == WhileOpen::Inner {
            return false;
        }
        let id = self.waiter(circuit).id;
        circuit.register_waker(id, cx.waker()).is_some()
    }

    fn waiter(&mut self, circuit: &ShardedArc<CircuitInner>) -> &mut Waiter {
        self.waiter.get_or_insert_with(|| Waiter {
            circuit: circuit.clone(),
            id: circuit.wakers.next_id(),
            sleep: None,
        })
    }

    /// Returns whether the next call is rejected, and resets the flag.
    pub(super) fn take_rejects_next_call(&mut self) -> bool {
        mem::take(&mut self.rejects_next_call)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.circuit.wakers.remove(self.id);
    }
}
