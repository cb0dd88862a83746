//! A circuit that many threads use at once.
//!
//! A call that finds it closed reads one word and, when it ends, counts its result in a window that only its own thread
//! uses, or nearly so: under a lock, but one that is seldom waited for. All windows are added up when a call fails. The
//! rest, which is rare, is behind one lock around a pure [`Machine`].

use std::{cell::Cell, sync::Arc, task::Waker, time::Duration};

use tokio::time::Instant;

use super::{
    settings::Settings,
    state::{Admission, Change, Machine, Outcome, Refusal, State, Ticket},
    streak::{Run, Streak},
    sync::{AtomicU64, Mutex, MutexGuard, Ordering, lock},
    waiting::Waiting,
    window::{Counts, Window},
};
use crate::{Failure, keys::Keep};

/// So many that a handful of threads seldom meet in one.
const STRIPES: usize = 4;

#[derive(Debug)]
pub struct Core {
    pub(super) key: Option<Arc<str>>,
    pub(super) settings: Arc<Settings>,
    /// Times are counted from here.
    origin: Instant,
    /// The generation, twice, and one more if calls have to ask the machine. Written under its lock only.
    gate: AtomicU64,
    stripes: [Stripe; STRIPES],
    /// Failures in a row, in the generation above them: see [`InARow`].
    in_a_row: InARow,
    streak: Mutex<Streak>,
    machine: Mutex<Machine>,
    pub(super) waiting: Waiting,
}

/// Apart from each other in memory, so that threads do not wait for each other's lines of cache.
#[derive(Debug)]
#[repr(align(128))]
struct Stripe(Mutex<Tagged>);

/// What all windows together have.
#[derive(Default)]
struct Seen {
    counts: Counts,
    successes: u64,
}

#[derive(Debug)]
struct Tagged {
    /// That of the results in the window; results of others are no longer, or not yet, counted here.
    generation: u64,
    /// When the window is to be slid again: as the clock has it, so that most calls need no more than that.
    until: Instant,
    window: Window,
    /// All there were in this generation, so that one can tell whether there was any since.
    successes: u64,
}

impl Tagged {
    /// Makes the window one of this generation and this moment, unless it is of a later generation.
    #[inline]
    fn turn_to(&mut self, generation: u64, now: Instant, core: &Core) -> bool {
        if self.generation == generation && now < self.until {
            return true;
        }
        self.turn(generation, now, core)
    }

    #[cold]
    fn turn(&mut self, generation: u64, now: Instant, core: &Core) -> bool {
        if self.generation > generation {
            return false;
        }
        if self.generation < generation {
            self.generation = generation;
            self.window.clear();
            self.successes = 0;
        }
        self.window.slide(core.since_origin(now), core.settings.width);
        // Beyond the end of time there is nothing to forget any more.
        self.until = core.origin.checked_add(self.window.until()).unwrap_or(self.until);
        true
    }
}

impl Core {
    pub(super) fn new(key: Option<Arc<str>>, settings: Arc<Settings>, origin: Instant) -> Self {
        let stripe = || {
            let window = Window::default();
            Stripe(Mutex::new(Tagged { generation: 0, until: origin, window, successes: 0 }))
        };
        Self {
            key,
            settings,
            origin,
            gate: AtomicU64::new(0),
            stripes: std::array::from_fn(|_| stripe()),
            in_a_row: InARow::default(),
            streak: Mutex::new(Streak::default()),
            machine: Mutex::new(Machine::new()),
            waiting: Waiting::default(),
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.since_origin(Instant::now())
    }

    fn since_origin(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.origin)
    }

    /// Whether a call may pass; to be followed by one of the next three if so.
    #[inline]
    pub(super) fn admit(&self) -> Result<Ticket, Refusal> {
        let gate = self.gate.load(Ordering::Acquire);
        if gate & 1 == 0 {
            return Ok(Ticket { generation: gate / 2, probe: None });
        }
        self.ask()
    }

    #[cold]
    fn ask(&self) -> Result<Ticket, Refusal> {
        let now = self.now();
        let admission = self.change(|machine| machine.admit(now, &self.settings));
        match admission {
            Admission::Pass(ticket) => Ok(ticket),
            Admission::Refuse(refusal) => Err(refusal),
        }
    }

    /// Whether every call passes without asking the machine.
    #[inline]
    pub(super) fn lets_all_pass(&self) -> bool {
        self.gate.load(Ordering::Acquire) & 1 == 0
    }

    /// Why a call would not pass now. Takes nothing.
    pub(super) fn refuses(&self) -> Option<Refusal> {
        if self.lets_all_pass() {
            return None;
        }
        let now = self.now();
        lock(&self.machine).refuses(now, &self.settings)
    }

    /// Refuses a call that was promised to be, whatever has happened since.
    #[cold]
    pub(super) fn reject(&self) -> Refusal {
        let now = self.now();
        self.machine().reject(now, &self.settings)
    }

    /// Counts a call that was admitted by `ticket` as a success.
    #[inline]
    pub(super) fn succeeded(&self, ticket: Ticket) {
        if ticket.probe.is_some() {
            return self.probed(ticket, Outcome::Success);
        }
        self.count(ticket.generation, Instant::now(), false);
        if self.settings.consecutive.is_some() {
            self.in_a_row.end(ticket.generation);
        }
    }

    /// Counts it as a failure.
    #[cold]
    pub(super) fn failed(&self, ticket: Ticket, failure: Failure) {
        if ticket.probe.is_some() {
            self.probed(ticket, Outcome::Failure(failure));
        } else {
            self.failed_closed(ticket.generation, failure);
        }
    }

    /// Counts a call that ended without a result as neither.
    #[inline]
    pub(super) fn cancel(&self, ticket: Ticket) {
        if ticket.probe.is_some() {
            self.probed(ticket, Outcome::Cancelled);
        }
    }

    fn failed_closed(&self, generation: u64, failure: Failure) {
        let now = Instant::now();
        if !self.count(generation, now, true) {
            return;
        }
        let Seen { counts, successes } = self.seen(generation, now);
        let Settings { ratio, min_calls, consecutive, width, .. } = &*self.settings;
        let many = counts.calls >= u64::from(*min_calls)
            && ratio.is_reached(counts.failures, counts.calls);
        let run = Run { generation, successes };
        let streak = lock(&self.streak).add(run, self.since_origin(now), *width);
        let nothing = streak.is_some_and(|failures| failures >= *min_calls);
        // Counted even if there are many already, so that the row has no gap.
        let in_a_row = consecutive.is_some_and(|most| self.in_a_row.add(generation) >= most.get());
        if many || nothing || in_a_row {
            let (now, found) = (self.since_origin(now), (failure, counts));
            self.change(|machine| {
                let random = fastrand::f64();
                ((), machine.trip(generation, now, found, random, &self.settings))
            });
        }
    }

    #[cold]
    fn probed(&self, ticket: Ticket, outcome: Outcome) {
        let now = self.now();
        let may_pass = self.change(|machine| {
            let change = machine.probed(ticket, now, outcome, fastrand::f64(), &self.settings);
            (machine.refuses(now, &self.settings).is_none(), change)
        });
        // Its place may have become free.
        if may_pass {
            self.waiting.wake();
        }
    }

    /// Whether it was counted: not if it comes after its generation.
    #[inline]
    fn count(&self, generation: u64, now: Instant, failed: bool) -> bool {
        // The machine may have moved on before any window has.
        if self.gate.load(Ordering::Acquire) / 2 != generation {
            self.late();
            return false;
        }
        let mut stripe = lock(&self.stripes[stripe()].0);
        let counts = stripe.turn_to(generation, now, self);
        if counts {
            stripe.window.record(failed);
            stripe.successes += u64::from(!failed);
        }
        counts
    }

    #[cold]
    fn late(&self) {
        let mut machine = self.machine();
        machine.late = machine.late.saturating_add(1);
    }

    pub(super) fn counts(&self, generation: u64, now: Instant) -> Counts {
        self.seen(generation, now).counts
    }

    fn seen(&self, generation: u64, now: Instant) -> Seen {
        let mut seen = Seen::default();
        for stripe in &self.stripes {
            let mut stripe = lock(&stripe.0);
            if stripe.generation == generation && stripe.turn_to(generation, now, self) {
                let counts = stripe.window.counts();
                seen.counts.calls += counts.calls;
                seen.counts.failures += counts.failures;
                seen.successes = seen.successes.wrapping_add(stripe.successes);
            }
        }
        seen
    }

    pub(super) fn machine(&self) -> MutexGuard<'_, Machine> {
        lock(&self.machine)
    }

    /// Everything that may change the state goes through here: the gate follows, and what changed is told, once the lock
    /// is released.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Machine) -> (T, Option<Change>)) -> T {
        let mut machine = self.machine();
        let (result, changed) = change(&mut machine);
        if changed.is_some() {
            let asks = u64::from(!machine.lets_all_pass());
            self.gate.store(machine.generation * 2 + asks, Ordering::Release);
        }
        drop(machine);
        if let Some(changed) = changed {
            self.waiting.wake();
            self.tell(changed);
        }
        result
    }

    fn tell(&self, change: Change) {
        let Change { old, new, failure, counts, refused, generation } = change;
        #[cfg(feature = "metrics")]
        crate::metrics::circuit(self.key.as_ref(), old.as_str(), new.as_str());
        tracing::warn!(
            name: "circuit",
            // A key may hold whatever a caller asked for: `Debug` escapes it.
            key = self.key.as_deref().map(tracing::field::debug),
            old = old.as_str(),
            new = new.as_str(),
            cause = failure.map(|failure| failure.cause().as_str()),
            calls = counts.calls,
            failures = counts.failures,
            refused,
            generation,
            shadow = self.settings.shadow,
            "circuit {}", new.as_str(),
        );
    }

    pub(super) fn state(&self) -> State {
        self.machine().state()
    }

    /// Keeps `waker` for the next change; `None`: a call would pass now.
    pub(super) fn wait(&self, id: u64, waker: &Waker) -> Option<Refusal> {
        self.waiting.keep(id, waker);
        // Looked at again, since it may have changed before the waker was there.
        self.refuses()
    }
}

impl Keep for Core {
    fn is_clean(&self, now: Instant) -> bool {
        let (generation, is_forgettable) = {
            let machine = self.machine();
            let since_origin = self.since_origin(now);
            (machine.generation, machine.is_forgettable(since_origin, &self.settings))
        };
        is_forgettable && self.counts(generation, now).failures == 0
    }
}

/// Failures in a row. The upper half of the word is the generation they are of, so that none of an earlier one is added.
#[derive(Debug, Default)]
struct InARow(AtomicU64);

impl InARow {
    /// One more; gives how many there are now, 0 if there is a later generation.
    fn add(&self, generation: u64) -> u32 {
        let generation = generation as u32;
        let mut count = 0;
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
            let of = (word >> 32) as u32;
            count = match of.cmp(&generation) {
                std::cmp::Ordering::Greater => return None,
                std::cmp::Ordering::Less => 1,
                std::cmp::Ordering::Equal => (word as u32).saturating_add(1),
            };
            Some(u64::from(generation) << 32 | u64::from(count))
        });
        count
    }

    /// A success. Only looks, where there is nothing to end.
    fn end(&self, generation: u64) {
        let none = u64::from(generation as u32) << 32;
        let is_row = |word| word > none && word >> 32 == none >> 32;
        if is_row(self.0.load(Ordering::Acquire)) {
            let end = |word| is_row(word).then_some(none);
            let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, end);
        }
    }
}

/// The stripe of this thread: threads take turns in being given one.
#[inline]
fn stripe() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: Cell<Option<usize>> = const { Cell::new(None) };
    }
    // `None` while the thread ends, when any will do.
    MINE.try_with(|mine| {
        mine.get().unwrap_or_else(|| {
            let given = NEXT.fetch_add(1, Relaxed) % STRIPES;
            mine.set(Some(given));
            given
        })
    })
    .unwrap_or(0)
}
