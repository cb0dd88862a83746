use std::{sync::Arc, time::Duration};

use seawall_core::Failure;
use tokio::time::Instant;

use super::{circuit::CircuitInner, selector::LazyCircuit, state::State};
use crate::{keys::BoundedMap, sharded_arc::ShardedArc};

/// A handle to a circuit, to read or force its state. Clones refer to the same circuit.
///
/// All methods are synchronous, hold a lock only briefly, and can be called in any context. The
/// circuit of a key is not evicted while it has a handle.
#[derive(Clone, Debug)]
pub struct Circuit {
    circuit: CircuitRef,
}

/// A handle to the circuits of a layer with one circuit per key. Clones refer to the same circuits.
#[derive(Clone, Debug)]
pub struct Circuits {
    circuits: Arc<BoundedMap<CircuitInner>>,
}

/// The state and the counts of a circuit at one point in time.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    state: State,
    calls: u64,
    failures: u64,
    time_in_state: Duration,
    next_probe: Option<Duration>,
    opened_by: Option<Failure>,
    rejected: u64,
    stale_results: u64,
}

/// The circuit of a handle.
///
/// The clones of a handle share one [`ShardedArc`] through an [`Arc`]. Cloning the `ShardedArc`
/// itself would change the counts of two groups of threads while a sweep of the map reads them.
#[derive(Clone, Debug)]
enum CircuitRef {
    /// The circuit of a layer, which may not have been created yet.
    Shared(Arc<ShardedArc<LazyCircuit>>),
    /// The circuit of a key.
    OfKey(Arc<ShardedArc<CircuitInner>>),
}

impl Circuit {
    pub(super) fn shared(circuit: ShardedArc<LazyCircuit>) -> Self {
        Self { circuit: CircuitRef::Shared(Arc::new(circuit)) }
    }

    pub(super) fn of_key(circuit: ShardedArc<CircuitInner>) -> Self {
        Self { circuit: CircuitRef::OfKey(Arc::new(circuit)) }
    }

    fn circuit(&self) -> &CircuitInner {
        match &self.circuit {
            CircuitRef::Shared(lazy) => lazy.get(),
            CircuitRef::OfKey(circuit) => circuit,
        }
    }

    /// Returns the key or the name of the circuit, if it has one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.circuit().key.as_deref()
    }

    /// Returns the state. An open circuit whose open duration has passed stays open until the next
    /// call.
    #[must_use]
    pub fn state(&self) -> State {
        self.circuit().state()
    }

    /// Returns the current state and counts.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let machine = self.circuit().lock_machine();
        let counts = machine
            .probe_counts()
            .unwrap_or_else(|| self.circuit().counts(machine.generation, Instant::now()));
        let now = self.circuit().age();
        Snapshot {
            state: machine.state(),
            calls: counts.calls,
            failures: counts.failures,
            time_in_state: now.saturating_sub(machine.state_since),
            next_probe: machine.next_probe(now),
            opened_by: machine.opened_by,
            rejected: machine.rejected,
            stale_results: machine.stale_results,
        }
    }

    /// Rejects all calls until [`release`](Self::release), for example while an upstream is being
    /// repaired.
    ///
    /// Calls in flight continue, and their results no longer count. With
    /// [`dry_run(true)`](super::CircuitBreakerLayer::dry_run) all calls pass anyway.
    #[doc(alias = "isolate")]
    #[doc(alias = "transitionToForcedOpenState")]
    pub fn force_open(&self) {
        self.force(true);
    }

    /// Admits all calls until [`release`](Self::release), regardless of their results.
    #[doc(alias = "transitionToDisabledState")]
    pub fn force_closed(&self) {
        self.force(false);
    }

    /// Closes a forced circuit, and resets its counts. Does nothing if the circuit is not forced.
    pub fn release(&self) {
        let now = self.circuit().age();
        self.circuit().with_state_machine(|machine| machine.release(now));
    }

    fn force(&self, open: bool) {
        let now = self.circuit().age();
        self.circuit().with_state_machine(|machine| machine.force(open, now));
    }
}

impl Circuits {
    pub(super) const fn new(circuits: Arc<BoundedMap<CircuitInner>>) -> Self {
        Self { circuits }
    }

    /// Returns the circuit of `key`, or `None` if no call has had this key yet, or if the circuit
    /// was evicted.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Circuit> {
        self.circuits.get(key).map(Circuit::of_key)
    }

    /// Returns all current circuits, at most 4,096, in no particular order.
    #[must_use]
    pub fn all(&self) -> Vec<Circuit> {
        self.circuits.all().into_iter().map(Circuit::of_key).collect()
    }
}

impl Snapshot {
    /// Returns the state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Returns the number of calls whose results are in the window. A change of state resets it to
    /// zero.
    ///
    /// While the circuit is half-open, returns the number of probes with a result. In any other
    /// state, returns zero if
    /// [`failure_ratio`](crate::circuit_breaker::CircuitBreakerLayer::failure_ratio) is disabled,
    /// because there is no window.
    #[must_use]
    pub const fn calls(&self) -> u64 {
        self.calls
    }

    /// Returns how many of the [`calls`](Self::calls) failed.
    #[must_use]
    pub const fn failures(&self) -> u64 {
        self.failures
    }

    /// Returns the time since the last change of state, or since the circuit was created.
    #[must_use]
    pub const fn time_in_state(&self) -> Duration {
        self.time_in_state
    }

    /// Returns the time until the circuit admits a probe, or `None` if it is not open.
    #[must_use]
    pub const fn next_probe(&self) -> Option<Duration> {
        self.next_probe
    }

    /// Returns the failure that last opened the circuit.
    #[must_use]
    pub const fn opened_by(&self) -> Option<&Failure> {
        self.opened_by.as_ref()
    }

    /// Returns the number of calls rejected since the circuit last opened.
    #[must_use]
    pub const fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Returns the number of results that were ignored because the state had changed since the call
    /// was admitted.
    #[must_use]
    pub const fn stale_results(&self) -> u64 {
        self.stale_results
    }
}
