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

/// The interval at which a waiting service checks a circuit that is forced open.
const FORCED_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The readiness of a service with one circuit for all requests.
#[derive(Debug)]
pub(super) struct Readiness {
    policy: Policy,
    /// `poll_ready` returned ready without polling the inner service, so the next call is rejected.
    rejects_next_call: bool,
    /// The inner service was polled since the last call, so it may hold resources for the next one.
    pub(super) inner_polled: bool,
    waiter: Option<Waiter>,
}

/// The result of `poll_ready` while the circuit is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    Ready,
    Pending,
    /// The readiness of the inner service, since a dry run rejects no call.
    Inner,
}

/// A registered waker, removed when this is dropped.
#[derive(Debug)]
struct Waiter {
    circuit: ShardedArc<CircuitInner>,
    id: u64,
    /// Boxed, since a `Sleep` must be pinned and a service is not.
    sleep: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    PollInner,
    RejectNextCall,
}

impl Readiness {
    pub(super) const fn new(open_behavior: OpenBehavior, dry_run: bool) -> Self {
        let policy = match open_behavior {
            _ if dry_run => Policy::Inner,
            OpenBehavior::Reject => Policy::Ready,
            OpenBehavior::Backpressure => Policy::Pending,
        };
        Self::unready_with(policy)
    }

    const fn unready_with(policy: Policy) -> Self {
        Self { policy, rejects_next_call: false, inner_polled: false, waiter: None }
    }

    /// Returns the readiness of a clone of the service.
    pub(super) const fn for_clone(&self) -> Self {
        Self::unready_with(self.policy)
    }

    /// Decides whether to poll the inner service. Returns pending if the service is not ready while
    /// the circuit is open.
    #[inline]
    pub(super) fn decide(
        &mut self,
        circuit: &ShardedArc<CircuitInner>,
        cx: &mut Context<'_>,
    ) -> Poll<Decision> {
        let rejects =
            !circuit.admits_all() && self.policy != Policy::Inner && circuit.rejection().is_some();
        self.rejects_next_call = rejects && self.policy == Policy::Ready;
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
            // A forced circuit has no known end. `release` wakes the task, unless its thread is
            // panicking.
            let wait = rejection.wait.unwrap_or(FORCED_POLL_INTERVAL);
            // The timer is replaced at each poll, because the circuit may have reopened for another
            // duration.
            let sleep = waiter.sleep.insert(Box::pin(sleep(wait)));
            if pin!(unconstrained(sleep)).poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    /// Registers the task to be woken when the circuit opens. Returns whether it is open already.
    pub(super) fn register_for_opening(
        &mut self,
        circuit: &ShardedArc<CircuitInner>,
        cx: &mut Context<'_>,
    ) -> bool {
        if self.policy == Policy::Inner {
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
