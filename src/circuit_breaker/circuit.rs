//! A circuit that many threads use concurrently.
//!
//! One lock protects the state machine. Most calls avoid that lock for two reasons:
//!
//! - An atomic word, the *state word*, repeats the part of the machine that a closed circuit needs.
//!   A call reads it when it is admitted and again when it ends. It is only written under the lock.
//! - A closed circuit counts results in *stripes*. Each stripe serves a few groups of threads and
//!   has its own lock. After a failure, the circuit adds up the counts of all stripes. A circuit
//!   without a failure ratio counts no results.
//!
//! A thread that holds the machine's lock may take the lock of a stripe, never the reverse.

use std::{sync::Arc, task::Waker, time::Duration};

use seawall_core::Failure;
use tokio::time::Instant;

use super::{
    message::{Subject, TransitionMessage},
    settings::Settings,
    state::State,
    state_machine::{Admission, Outcome, Rejection, StateMachine, Transition},
    stripe::Stripe,
    wakers::Wakers,
    window::Counts,
};
use crate::{
    keys::Evictable,
    rejections::Rejections,
    sharded_arc::thread_group,
    sync::{AtomicU64, Mutex, MutexGuard, Ordering, lock},
};

/// The number of stripes. Each takes 128 bytes, so there are fewer stripes than groups of threads,
/// and some groups share a stripe.
const STRIPES: usize = 4;

/// The state, the counts and the settings of a circuit.
#[derive(Debug)]
pub struct CircuitInner {
    pub(super) key: Option<Arc<str>>,
    pub(super) settings: Arc<Settings>,
    /// The state machine measures time from this instant.
    created: Instant,
    /// A [`StateWord`].
    state_word: AtomicU64,
    machine: Mutex<StateMachine>,
    pub(super) wakers: Wakers,
    rejections: Rejections,
    stripes: [Stripe; STRIPES],
}

/// The part of the state that calls read without the lock: the generation in the upper 32 bits, and
/// two flags.
#[derive(Clone, Copy, PartialEq, Eq)]
struct StateWord(u64);

impl StateWord {
    const ADMITS_ALL: u64 = 1;
    const HAS_FAILURES: u64 = 2;

    fn new(machine: &StateMachine) -> Self {
        let flag = |is_set, bit| if is_set { bit } else { 0 };
        Self(
            u64::from(machine.generation) << 32
                | flag(machine.admits_all(), Self::ADMITS_ALL)
                | flag(machine.has_consecutive_failures(), Self::HAS_FAILURES),
        )
    }

    const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Returns whether every call is admitted.
    const fn admits_all(self) -> bool {
        self.0 & Self::ADMITS_ALL != 0
    }

    /// Returns whether the last result was a failure.
    const fn has_failures(self) -> bool {
        self.0 & Self::HAS_FAILURES != 0
    }
}

impl CircuitInner {
    pub(super) fn new(key: Option<Arc<str>>, settings: Arc<Settings>, created: Instant) -> Self {
        let machine = StateMachine::default();
        let stripes = std::array::from_fn(|_| Stripe::new(created, settings.bucket_width));
        Self {
            key,
            settings,
            created,
            state_word: AtomicU64::new(StateWord::new(&machine).0),
            machine: Mutex::new(machine),
            wakers: Wakers::default(),
            rejections: Rejections::default(),
            stripes,
        }
    }

    /// Returns the time since the circuit was created.
    pub(super) fn age(&self) -> Duration {
        self.age_at(Instant::now())
    }

    fn age_at(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.created)
    }

    fn state_word(&self) -> StateWord {
        StateWord(self.state_word.load(Ordering::Acquire))
    }

    /// Returns whether every call is admitted.
    #[inline]
    pub(super) fn admits_all(&self) -> bool {
        self.state_word().admits_all()
    }

    /// Admits a call without the lock if the circuit is closed or forced closed.
    #[inline]
    pub(super) fn admit_if_closed(&self) -> Option<Admission> {
        let state = self.state_word();
        state.admits_all().then(|| Admission { generation: state.generation(), probe: None })
    }

    /// Admits a call, or returns the reason for its rejection.
    ///
    /// Sets `admission` before a subscriber or waker runs. If that code panics, the caller can
    /// still release the slot of the probe.
    pub(super) fn admit(&self, admission: &mut Admission) -> Result<(), Rejection> {
        let now = self.age();
        self.with_state_machine(|machine| {
            *admission = machine.admit(now, &self.settings)?;
            Ok(())
        })
    }

    /// Returns the reason why a call would be rejected now.
    pub(super) fn rejection(&self) -> Option<Rejection> {
        if self.admits_all() {
            return None;
        }
        let now = self.age();
        self.lock_machine().rejection(now, &self.settings)
    }

    /// Rejects a call, even if it could be admitted now.
    pub(super) fn reject(&self) -> Rejection {
        let now = self.age();
        self.with_state_machine(|machine| machine.reject(now, &self.settings))
    }

    /// Records that an admitted call has succeeded.
    pub(super) fn record_success(&self, admission: Admission) {
        if admission.probe.is_some() {
            return self.record_probe(admission, Outcome::Success);
        }
        let generation = admission.generation;
        let state = self.state_word();
        if state.generation() != generation || state.has_failures() {
            let accepted = self.with_state_machine(|machine| {
                let accepts = machine.accepts(generation);
                if accepts {
                    machine.record_success();
                }
                accepts
            });
            if !accepted {
                return;
            }
        }
        if self.settings.failure_ratio.is_some() {
            self.stripe().record_success(generation, Instant::now(), self.settings.bucket_width);
        }
    }

    /// Records that an admitted call has failed.
    pub(super) fn record_failure(&self, admission: Admission, failure: Failure) {
        if admission.probe.is_some() {
            return self.record_probe(admission, Outcome::Failure(failure));
        }
        let generation = admission.generation;
        let now = Instant::now();
        self.with_state_machine(|machine| {
            if !machine.accepts(generation) {
                return;
            }
            let counts = self.settings.failure_ratio.map(|_| {
                self.stripe().record_failure(generation, now, self.settings.bucket_width);
                self.counts(generation, now)
            });
            let age = self.age_at(now);
            machine.record_failure(age, failure, counts, fastrand::f64(), &self.settings);
        });
    }

    /// Releases the slot of a probe that counts as neither success nor failure. Does nothing for
    /// other calls.
    pub(super) fn release_slot(&self, admission: Admission) {
        if admission.probe.is_some() {
            self.record_probe(admission, Outcome::Cancelled);
        }
    }

    fn record_probe(&self, admission: Admission, outcome: Outcome) {
        let now = self.age();
        let can_admit = self.with_state_machine(|machine| {
            machine.record_probe(admission, now, outcome, fastrand::f64(), &self.settings);
            machine.rejection(now, &self.settings).is_none()
        });
        // Wake the waiting services, because a call may take the slot of this probe.
        if can_admit {
            self.wakers.wake();
        }
    }

    /// Returns the stripe of the calling thread.
    fn stripe(&self) -> &Stripe {
        &self.stripes[thread_group() % STRIPES]
    }

    /// Returns the counts of all stripes together.
    pub(super) fn counts(&self, generation: u32, now: Instant) -> Counts {
        let mut sum = Counts::default();
        for stripe in &self.stripes {
            let Counts { calls, failures } =
                stripe.counts(generation, now, self.settings.bucket_width);
            sum.calls += calls;
            sum.failures += failures;
        }
        sum
    }

    pub(super) fn lock_machine(&self) -> MutexGuard<'_, StateMachine> {
        lock(&self.machine)
    }

    /// Calls `change` with the locked state machine, and stores its state word. If the state has
    /// changed, releases the lock, wakes the waiting services and reports the transition.
    pub(super) fn with_state_machine<T>(&self, change: impl FnOnce(&mut StateMachine) -> T) -> T {
        let mut machine = self.lock_machine();
        let result = change(&mut machine);
        let word = StateWord::new(&machine);
        if word != self.state_word() {
            self.state_word.store(word.0, Ordering::Release);
        }
        // Wakers, recorders and subscribers are user code. If one panicked while this thread is
        // panicking, the process would abort. The next call of this method reports the transitions.
        let unreported =
            if std::thread::panicking() { Vec::new() } else { machine.take_transitions() };
        drop(machine);
        if !unreported.is_empty() {
            self.wakers.wake();
            for transition in unreported {
                self.report(transition);
            }
        }
        result
    }

    /// Summarizes rejected calls in an event, at most once per minute.
    ///
    /// The event of the opening counts as the first.
    pub(super) fn report_rejection(&self, time_open: Duration, failure: Option<&Failure>) {
        let Some(rejected) = self.rejections.record(Instant::now()) else { return };
        let subject = Subject(self.key.as_deref());
        let calls = if rejected == 1 { "call" } else { "calls" };
        let cause = failure.map(|failure| format!(": {failure}")).unwrap_or_default();
        tracing::warn!(
            name: "circuit_rejections",
            key = self.key.as_deref().map(tracing::field::debug),
            cause = failure.map(|failure| failure.cause().as_str()),
            rejected,
            "{subject} still open after {time_open:.1?}{cause}; {rejected} {calls} rejected",
        );
    }

    fn report(&self, transition: Transition) {
        let Transition { old, new, opened_by, counts, rejected, generation } = transition;
        crate::metrics::record_circuit_state(self.key.as_ref(), old.as_str(), new.as_str());
        // While an upstream is down, its circuit changes between these two states every few
        // seconds. `report_rejection` emits one event per minute at WARN.
        let is_probing = new == State::HalfOpen || (old, new) == (State::HalfOpen, State::Open);
        if !is_probing {
            self.rejections.restart(Instant::now());
        }
        let subject = Subject(self.key.as_deref());
        let message = TransitionMessage { subject, settings: &self.settings, transition };
        macro_rules! emit {
            ($level:ident) => {
                tracing::$level!(
                    name: "circuit",
                    // A caller may have chosen the text of a key. `Debug` escapes it.
                    key = self.key.as_deref().map(tracing::field::debug),
                    old = old.as_str(),
                    new = new.as_str(),
                    cause = opened_by.map(|failure| failure.cause().as_str()),
                    calls = counts.calls,
                    failures = counts.failures,
                    rejected,
                    generation,
                    dry_run = self.settings.dry_run,
                    "{message}",
                )
            };
        }
        if is_probing { emit!(debug) } else { emit!(warn) }
    }

    pub(super) fn state(&self) -> State {
        self.lock_machine().state()
    }

    /// Registers `waker` for the next change of state. Returns the reason why a call would be
    /// rejected now.
    pub(super) fn register_waker(&self, id: u64, waker: &Waker) -> Option<Rejection> {
        self.wakers.register(id, waker);
        // The circuit may have changed before the waker was registered.
        self.rejection()
    }
}

impl Evictable for CircuitInner {
    fn is_evictable(&self, now: Instant) -> bool {
        let machine = self.lock_machine();
        machine.is_evictable(self.age_at(now), &self.settings)
            && self.counts(machine.generation, now).failures == 0
    }

    /// Records in the metrics that the circuit is closed. The next circuit of this key starts
    /// closed and does not record its initial state.
    fn on_evict(&self) {
        let (state, closed) = (self.state(), State::Closed);
        if state != closed {
            crate::metrics::record_circuit_state(
                self.key.as_ref(),
                state.as_str(),
                closed.as_str(),
            );
        }
    }
}
