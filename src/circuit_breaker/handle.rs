use std::{sync::Arc, time::Duration};

use seawall_core::Failure;
use tokio::time::Instant;

use super::{circuit::CircuitInner, state_machine::State};
use crate::{keys::BoundedMap, sharded_arc::ShardedArc};

/// A circuit, to be looked at and to be told. Clones are the same circuit.
///
/// All of it is synchronous, takes a short lock at most, and can be called from anywhere. While it is held, the circuit of a
/// key is not forgotten.
#[derive(Clone, Debug)]
pub struct Circuit {
    // An `Arc`, since a clone on another thread must not move the count between groups while a sweep reads them.
    circuit: Arc<ShardedArc<CircuitInner>>,
}

/// The circuits of a layer that has one for each key. Clones are the same ones.
#[derive(Clone, Debug)]
pub struct Circuits {
    store: Arc<BoundedMap<CircuitInner>>,
}

/// How a circuit was at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    state: State,
    calls: u64,
    failures: u64,
    since: Duration,
    next_probe: Option<Duration>,
    opened_by: Option<Failure>,
    refused: u64,
    late: u64,
}

impl Circuit {
    pub(super) fn new(circuit: ShardedArc<CircuitInner>) -> Self {
        Self { circuit: Arc::new(circuit) }
    }

    /// Its key; `None` if the layer has one circuit only.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.circuit.key.as_deref()
    }

    /// Its state. An open circuit whose time is over is open until a call comes.
    #[must_use]
    pub fn state(&self) -> State {
        self.circuit.state()
    }

    /// How it is now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let machine = self.circuit.machine();
        let counts = machine
            .probe_counts()
            .unwrap_or_else(|| self.circuit.counts(machine.generation, Instant::now()));
        let now = self.circuit.now();
        Snapshot {
            state: machine.state(),
            calls: counts.calls,
            failures: counts.failures,
            since: now.saturating_sub(machine.since),
            next_probe: machine.next_probe(now),
            opened_by: machine.failure,
            refused: machine.rejected,
            late: machine.stale_results,
        }
    }

    /// Rejects all calls until [`release`](Self::release), for example while an upstream is being repaired. Calls under
    /// way are not touched, and their results no longer count. Under
    /// [`dry_run(true)`](crate::circuit_breaker::CircuitBreakerLayer::dry_run) all pass none the less.
    #[doc(alias = "isolate")]
    #[doc(alias = "transitionToForcedOpenState")]
    pub fn force_open(&self) {
        self.force(true);
    }

    /// Lets all calls pass until [`release`](Self::release), whatever becomes of them.
    #[doc(alias = "transitionToDisabledState")]
    pub fn force_closed(&self) {
        self.force(false);
    }

    /// Ends what was forced: the circuit is closed, and counts from nothing. Does nothing otherwise.
    pub fn release(&self) {
        let now = self.circuit.now();
        self.circuit.with_state_machine(|machine| machine.release(now));
    }

    fn force(&self, open: bool) {
        let now = self.circuit.now();
        self.circuit.with_state_machine(|machine| machine.force(open, now));
    }
}

impl Circuits {
    pub(super) const fn new(store: Arc<BoundedMap<CircuitInner>>) -> Self {
        Self { store }
    }

    /// The circuit of this key, if any call had it of late.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Circuit> {
        self.store.find(key).map(Circuit::new)
    }

    /// All circuits there are at this moment, in no order: at most 4,096.
    #[must_use]
    pub fn all(&self) -> Vec<Circuit> {
        self.store.all().into_iter().map(Circuit::new).collect()
    }
}

impl Snapshot {
    /// The state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Calls whose results are in the window, of the state it is in: none after a change. Half-open, those of the probes.
    /// Otherwise zero if [`failure_ratio`](crate::circuit_breaker::CircuitBreakerLayer::failure_ratio) is `None`: no window is kept then.
    #[must_use]
    pub const fn calls(&self) -> u64 {
        self.calls
    }

    /// How many of them failed; zero where they are not counted.
    #[must_use]
    pub const fn failures(&self) -> u64 {
        self.failures
    }

    /// Time since the state changed last; since the circuit was made, if it never did.
    #[must_use]
    pub const fn time_in_state(&self) -> Duration {
        self.since
    }

    /// Time until a call may pass, while it is open.
    #[must_use]
    pub const fn next_probe(&self) -> Option<Duration> {
        self.next_probe
    }

    /// The failure that opened it last.
    #[must_use]
    pub const fn opened_by(&self) -> Option<&Failure> {
        self.opened_by.as_ref()
    }

    /// Calls rejected since it opened last.
    #[must_use]
    pub const fn rejected(&self) -> u64 {
        self.refused
    }

    /// Results that came after the state had changed, and so counted for nothing.
    #[must_use]
    pub const fn stale_results(&self) -> u64 {
        self.late
    }
}
