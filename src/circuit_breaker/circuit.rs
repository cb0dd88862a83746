//! A circuit that many threads use at once.
//!
//! A call that finds it closed reads one word and, when it ends, counts its result in a window that only its own thread
//! uses, or nearly so: under a lock, but one that is seldom waited for. All windows are added up when a call fails. Where
//! nothing but failures in a row count, there are no windows: a success reads two words. The rest, which is rare, is behind
//! one lock around a pure [`Machine`].

use std::{cell::Cell, sync::Arc, task::Waker, time::Duration};

use tokio::time::Instant;

use super::{
    settings::Settings,
    state::{Admission, Change, Machine, Outcome, Refusal, State, Ticket},
    streak::{Run, Streak},
    stripe::{Pieces, Seen, Stripe},
    waiting::Waiting,
    window::Counts,
};
use crate::{
    failure::Failure,
    keys::Keep,
    panics::at_most_one,
    ratio::Ratio,
    sync::{AtomicU64, Mutex, MutexGuard, Ordering, lock},
};

/// So many that a handful of threads seldom meet in one.
const STRIPES: usize = 4;

/// In the gate: calls have to ask the machine.
const ASKS: u64 = 1;

/// In the gate, always the same: the time that a call takes counts.
const TIMED: u64 = 2;

/// In the gate, always the same: failures in a row count.
const ROWS: u64 = 4;

/// In the gate, always the same: nothing else does.
const ALONE: u64 = 8;

const fn of_gate(gate: u64) -> u32 {
    (gate >> 4) as u32
}

/// With none of them.
const fn plain(generation: u32) -> u64 {
    (generation as u64) << 4
}

fn gate(generation: u32, asks: bool, settings: &Settings) -> u64 {
    let asks = if asks { ASKS } else { 0 };
    let timed = if settings.slow.is_some() { TIMED } else { 0 };
    let rows = if settings.consecutive.is_some() { ROWS } else { 0 };
    let alone = if settings.ratio.is_none() { ALONE } else { 0 };
    plain(generation) | asks | timed | rows | alone
}

#[derive(Debug)]
pub struct Core {
    pub(super) key: Option<Arc<str>>,
    pub(super) settings: Arc<Settings>,
    pieces: Pieces,
    /// The generation, above the four bits. Written under the machine's lock only.
    gate: AtomicU64,
    stripes: [Stripe; STRIPES],
    /// Stays empty, unless they count.
    in_a_row: InARow,
    streak: Mutex<Streak>,
    machine: Mutex<Machine>,
    pub(super) waiting: Waiting,
}

impl Core {
    pub(super) fn new(key: Option<Arc<str>>, settings: Arc<Settings>, origin: Instant) -> Self {
        Self {
            key,
            pieces: Pieces { origin, width: settings.width },
            gate: AtomicU64::new(gate(0, false, &settings)),
            stripes: std::array::from_fn(|_| Stripe::new(origin)),
            in_a_row: InARow::default(),
            streak: Mutex::new(Streak::default()),
            machine: Mutex::new(Machine::new()),
            settings,
            waiting: Waiting::default(),
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.since_origin(Instant::now())
    }

    fn since_origin(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.pieces.origin)
    }

    /// As [`admit`](Self::admit), where the gate tells, and time does not matter.
    #[inline]
    pub(super) fn admit_at_once(&self) -> Option<Ticket> {
        let gate = self.gate.load(Ordering::Acquire);
        (gate & (ASKS | TIMED) == 0).then_some(Ticket { generation: of_gate(gate), probe: None })
    }

    /// Whether a call may pass; to be followed by one of the next three if so. `ticket` is written before a change is told: who
    /// hears of it may panic, and must not take a probe's place along.
    #[cold]
    pub(super) fn admit(&self, ticket: &mut Ticket) -> Result<(), Refusal> {
        let gate = self.gate.load(Ordering::Acquire);
        if gate & ASKS == 0 {
            *ticket = Ticket { generation: of_gate(gate), probe: None };
            return Ok(());
        }
        let now = self.now();
        self.change(|machine| {
            let (admission, change) = machine.admit(now, &self.settings);
            match admission {
                Admission::Pass(admitted) => {
                    *ticket = admitted;
                    (Ok(()), change)
                }
                Admission::Refuse(refusal) => (Err(refusal), change),
            }
        })
    }

    /// Whether every call passes without asking the machine.
    #[inline]
    pub(super) fn lets_all_pass(&self) -> bool {
        self.gate.load(Ordering::Acquire) & ASKS == 0
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
    #[cold]
    pub(super) fn succeeded(&self, ticket: Ticket) {
        if ticket.probe.is_some() {
            self.probed(ticket, Outcome::Success);
        } else {
            self.count_success(ticket.generation);
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

    fn failed_closed(&self, generation: u32, failure: Failure) {
        if of_gate(self.gate.load(Ordering::Acquire)) != generation {
            return self.late();
        }
        match self.settings.ratio {
            Some(ratio) => self.failed_in_window(generation, failure, ratio),
            None => self.failed_in_a_row(generation, failure),
        }
    }

    fn failed_in_window(&self, generation: u32, failure: Failure, ratio: Ratio) {
        let at = Instant::now();
        // The machine may have moved on before any window has.
        if !self.stripe().failed(generation, at, &self.pieces) {
            return;
        }
        let Seen { counts, successes } = self.seen(generation, at);
        let now = self.since_origin(at);
        let Settings { min_calls, width, .. } = &*self.settings;
        let many = counts.calls >= u64::from(*min_calls)
            && ratio.is_reached(counts.failures, counts.calls);
        let run = Run { generation, successes };
        let streak = lock(&self.streak).add(run, now, *width);
        let nothing = streak.is_some_and(|failures| failures >= *min_calls);
        // Counted even if there are many already, so that the row has no gap.
        let row = self.one_more_in_a_row(generation);
        if many || nothing || row.is_some() {
            self.trip(generation, now, failure, counts);
        }
    }

    fn failed_in_a_row(&self, generation: u32, failure: Failure) {
        // Without a key it is never forgotten, so nobody asks when the last was.
        if self.key.is_some() {
            self.in_a_row.note(self.now());
        }
        if let Some(row) = self.one_more_in_a_row(generation) {
            let calls = row.into();
            self.trip(generation, self.now(), failure, Counts { calls, failures: calls });
        }
    }

    /// Gives how many there are in a row, if that is too many.
    fn one_more_in_a_row(&self, generation: u32) -> Option<u32> {
        let most = self.settings.consecutive?.get();
        let row = self.in_a_row.add(generation);
        (row >= most).then_some(row)
    }

    fn trip(&self, generation: u32, now: Duration, failure: Failure, counts: Counts) {
        self.change(|machine| {
            let (found, random) = ((failure, counts), fastrand::f64());
            ((), machine.trip(generation, now, found, random, &self.settings))
        });
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

    /// That of this thread.
    #[inline]
    fn stripe(&self) -> &Stripe {
        &self.stripes[thread() % STRIPES]
    }

    #[cold]
    fn late(&self) {
        let mut machine = self.machine();
        machine.late = machine.late.saturating_add(1);
    }

    pub(super) fn counts(&self, generation: u32, now: Instant) -> Counts {
        self.seen(generation, now).counts
    }

    fn seen(&self, generation: u32, now: Instant) -> Seen {
        let mut seen = Seen::default();
        for stripe in &self.stripes {
            let Seen { counts, successes } = stripe.seen(generation, now, &self.pieces);
            seen.counts.calls += counts.calls;
            seen.counts.failures += counts.failures;
            seen.successes = seen.successes.wrapping_add(successes);
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
            let gate = gate(machine.generation, !machine.lets_all_pass(), &self.settings);
            self.gate.store(gate, Ordering::Release);
        }
        drop(machine);
        if let Some(changed) = changed {
            self.waiting.wake();
            at_most_one(|| self.tell(changed));
        }
        result
    }

    fn tell(&self, change: Change) {
        let Change { old, new, failure, counts, refused, generation } = change;
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

impl Core {
    /// Counts a success of a call that was no probe.
    pub(super) fn count_success(&self, generation: u32) {
        if of_gate(self.gate.load(Ordering::Acquire)) != generation {
            return self.late();
        }
        if self.settings.consecutive.is_some() {
            self.in_a_row.end(generation);
        }
        if self.settings.ratio.is_some() {
            self.stripe().succeeded(generation, Instant::now(), &self.pieces);
        }
    }
}

impl Keep for Core {
    fn is_clean(&self, now: Instant) -> bool {
        let (generation, is_forgettable) = {
            let machine = self.machine();
            let since_origin = self.since_origin(now);
            (machine.generation, machine.is_forgettable(since_origin, &self.settings))
        };
        let has_failed = match self.settings.ratio {
            Some(_) => self.counts(generation, now).failures > 0,
            None => self.in_a_row.is_of_late(generation, self.since_origin(now), &self.settings),
        };
        is_forgettable && !has_failed
    }

    /// The next circuit of this key will begin closed, and has nothing to tell of that.
    fn removed(&self) {
        let (state, closed) = (self.state(), State::Closed);
        if state != closed {
            crate::metrics::circuit(self.key.as_ref(), state.as_str(), closed.as_str());
        }
    }
}

/// Failures in a row.
#[derive(Debug, Default)]
struct InARow {
    /// How many. The upper half of the word is the generation they are of, so that none of an earlier one is added.
    word: AtomicU64,
    /// When the last one was, in nanoseconds, if that was [noted](Self::note).
    last: AtomicU64,
}

impl InARow {
    fn note(&self, now: Duration) {
        self.last.store(nanos(now), Ordering::Relaxed);
    }

    /// Whether there is a row, to which something was added as lately as a window looks back.
    fn is_of_late(&self, generation: u32, now: Duration, settings: &Settings) -> bool {
        let silent = nanos(now).saturating_sub(self.last.load(Ordering::Relaxed));
        !self.is_surely_none(generation) && silent < nanos(settings.window())
    }

    /// One more; gives how many there are now, 0 if there is a later generation.
    fn add(&self, generation: u32) -> u32 {
        let mut count = 0;
        let _ = self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
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

    /// Whether there is nothing to [`end`](Self::end), at a glance.
    #[inline]
    fn is_surely_none(&self, generation: u32) -> bool {
        self.word.load(Ordering::Acquire) <= u64::from(generation) << 32
    }

    /// A success. Only looks, where there is nothing to end.
    fn end(&self, generation: u32) {
        let none = u64::from(generation) << 32;
        let is_row = |word| word > none && word >> 32 == none >> 32;
        let end = |word| is_row(word).then_some(none);
        let _ = self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, end);
    }
}

/// Enough for 584 years.
pub(super) fn nanos(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000_000_000).saturating_add(time.subsec_nanos().into())
}

/// A number of this thread: threads take turns in being given one.
#[inline]
fn thread() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    static NEXT: AtomicUsize = AtomicUsize::new(1);
    thread_local! {
        /// Zero: it has none yet.
        static MINE: Cell<usize> = const { Cell::new(0) };
    }
    MINE.with(|mine| {
        if mine.get() == 0 {
            mine.set(NEXT.fetch_add(1, Relaxed).max(1));
        }
        mine.get()
    })
}
