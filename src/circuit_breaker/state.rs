//! The states of a circuit and the ways between them. Pure: no clock, no lock, no chance of its own.
//!
//! Time is a [`Duration`] since any fixed moment. Every change of state begins a new generation, and what was admitted in
//! an earlier one changes nothing any more.

use std::{num::NonZeroU32, time::Duration};

use super::{settings::Settings, window::Counts};
use crate::{failure::Failure, ratio::part};

/// The state of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// All calls pass, and their results are counted.
    Closed,
    /// No call passes.
    Open,
    /// A few calls pass, to find out whether the upstream is well again.
    HalfOpen,
    /// No call passes, until [`release`](super::Circuit::release).
    ForcedOpen,
    /// All calls pass whatever becomes of them, until [`release`](super::Circuit::release).
    ForcedClosed,
}

impl State {
    /// The name used in logs and metrics, such as `half_open`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::ForcedClosed => "forced_closed",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) generation: u32,
    phase: Phase,
    pub(super) since: Duration,
    /// When it left the closed state last.
    opened: Duration,
    /// How often it has opened without having been closed in between, but for the first time.
    reopened: u32,
    /// What opened it last.
    pub(super) failure: Option<Failure>,
    /// Calls refused since it opened.
    pub(super) refused: u64,
    /// Results that came after their generation.
    pub(super) late: u64,
}

#[derive(Clone, Debug)]
enum Phase {
    Closed,
    Open { until: Duration },
    HalfOpen(Probes),
    Forced { open: bool },
}

#[derive(Clone, Debug, Default)]
struct Probes {
    /// The calls that are out, and how long each has a right to its place.
    out: Vec<Lease>,
    succeeded: u32,
    failed: u32,
    made: u32,
}

#[derive(Clone, Copy, Debug)]
struct Lease {
    probe: NonZeroU32,
    until: Duration,
}

/// Whether a call may pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Admission {
    Pass(Ticket),
    Refuse(Refusal),
}

/// What a call that passed is known by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) generation: u32,
    /// It is one of the few of the half-open state.
    pub(super) probe: Option<NonZeroU32>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) failure: Option<Failure>,
    /// When a call may pass again, as far as that is known.
    pub(super) wait: Option<Duration>,
    pub(super) open_for: Duration,
}

/// What became of a probe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    Success,
    Failure(Failure),
    Cancelled,
}

/// A change of state, to be told once the lock is released.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use = "to be told"]
pub(super) struct Change {
    pub(super) old: State,
    pub(super) new: State,
    pub(super) failure: Option<Failure>,
    pub(super) counts: Counts,
    pub(super) refused: u64,
    /// That of the new state: by it the changes can be put in order, should two threads tell them at once.
    pub(super) generation: u32,
}

/// How long a half-open circuit that has no place left tells callers to wait: about as long as a probe takes.
const PROBING: Duration = Duration::from_secs(1);

impl Machine {
    pub(super) const fn new() -> Self {
        Self {
            generation: 0,
            phase: Phase::Closed,
            since: Duration::ZERO,
            opened: Duration::ZERO,
            reopened: 0,
            failure: None,
            refused: 0,
            late: 0,
        }
    }

    pub(super) const fn state(&self) -> State {
        match self.phase {
            Phase::Closed => State::Closed,
            Phase::Open { .. } => State::Open,
            Phase::HalfOpen(_) => State::HalfOpen,
            Phase::Forced { open: true } => State::ForcedOpen,
            Phase::Forced { open: false } => State::ForcedClosed,
        }
    }

    /// Whether every call passes without asking here.
    pub(super) const fn lets_all_pass(&self) -> bool {
        matches!(self.phase, Phase::Closed | Phase::Forced { open: false })
    }

    pub(super) fn admit(
        &mut self,
        now: Duration,
        settings: &Settings,
    ) -> (Admission, Option<Change>) {
        let mut change = None;
        if self.is_due(now) {
            change = Some(self.go(Phase::HalfOpen(Probes::default()), now, Counts::default()));
        }
        if let Some(refusal) = self.refuses(now, settings) {
            self.refused = self.refused.saturating_add(1);
            return (Admission::Refuse(refusal), change);
        }
        let probe = match &mut self.phase {
            Phase::HalfOpen(probes) => Some(probes.lend(now, settings)),
            _ => None,
        };
        (Admission::Pass(Ticket { generation: self.generation, probe }), change)
    }

    /// Refuses a call, even where one could pass by now.
    pub(super) fn reject(&mut self, now: Duration, settings: &Settings) -> Refusal {
        self.refused = self.refused.saturating_add(1);
        self.refuses(now, settings).unwrap_or(Refusal {
            failure: self.failure,
            wait: Some(Duration::ZERO),
            open_for: now.saturating_sub(self.opened),
        })
    }

    /// Why a call would not pass now.
    pub(super) fn refuses(&self, now: Duration, settings: &Settings) -> Option<Refusal> {
        let wait = match &self.phase {
            Phase::Closed | Phase::Forced { open: false } => return None,
            Phase::Open { until } if now >= *until => return None,
            Phase::Open { until } => Some(until.saturating_sub(now)),
            Phase::HalfOpen(probes) if probes.has_place(now, settings) => return None,
            Phase::HalfOpen(_) => Some(PROBING),
            Phase::Forced { open: true } => None,
        };
        let open_for = now.saturating_sub(self.opened);
        Some(Refusal { failure: self.failure, wait, open_for })
    }

    /// The results of the probes, while it is half-open.
    pub(super) fn probe_counts(&self) -> Option<Counts> {
        match &self.phase {
            Phase::HalfOpen(probes) => Some(probes.counts()),
            _ => None,
        }
    }

    /// Whether nothing is lost by forgetting it: it is closed, or nobody has called for so long after it could have been
    /// closed that what opened it is of no interest any more.
    pub(super) fn is_forgettable(&self, now: Duration, settings: &Settings) -> bool {
        let could_pass = match &self.phase {
            Phase::Closed => return true,
            Phase::Open { until } => *until,
            Phase::HalfOpen(probes) if probes.is_idle(now) => self.since,
            Phase::HalfOpen(_) | Phase::Forced { .. } => return false,
        };
        now.saturating_sub(could_pass) >= settings.open_max.max(settings.open_for)
    }

    /// Time until the next probe may pass.
    pub(super) fn next_probe(&self, now: Duration) -> Option<Duration> {
        match self.phase {
            Phase::Open { until } => Some(until.saturating_sub(now)),
            _ => None,
        }
    }

    fn is_due(&self, now: Duration) -> bool {
        matches!(self.phase, Phase::Open { until } if now >= until)
    }

    /// Opens a closed circuit, because of what was counted. `random` in `[0, 1)`.
    pub(super) fn trip(
        &mut self,
        generation: u32,
        now: Duration,
        (failure, counts): (Failure, Counts),
        random: f64,
        settings: &Settings,
    ) -> Option<Change> {
        let may = generation == self.generation && matches!(self.phase, Phase::Closed);
        may.then(|| {
            self.refused = 0;
            self.opened = now;
            self.open(now, failure, counts, random, settings)
        })
    }

    /// Takes the result of a probe. `random` in `[0, 1)`.
    pub(super) fn probed(
        &mut self,
        ticket: Ticket,
        now: Duration,
        outcome: Outcome,
        random: f64,
        settings: &Settings,
    ) -> Option<Change> {
        let probes = match &mut self.phase {
            Phase::HalfOpen(probes) if ticket.generation == self.generation => probes,
            _ => {
                self.late = self.late.saturating_add(1);
                return None;
            }
        };
        // Its place may be somebody else's by now, if its lease is over. It counts all the same: so many results decide.
        probes.take_back(ticket.probe);
        match outcome {
            Outcome::Cancelled => None,
            Outcome::Success => {
                probes.succeeded += 1;
                // However the others end.
                let others = settings.probes.get().saturating_sub(probes.succeeded);
                let well = !settings.is_too_much(others);
                let counts = probes.counts();
                well.then(|| self.close(now, counts))
            }
            Outcome::Failure(failure) => {
                probes.failed += 1;
                let unwell = settings.is_too_much(probes.failed);
                let counts = probes.counts();
                unwell.then(|| {
                    self.reopened = self.reopened.saturating_add(1);
                    self.open(now, failure, counts, random, settings)
                })
            }
        }
    }

    /// `None` if it is so already.
    pub(super) fn force(&mut self, open: bool, now: Duration) -> Option<Change> {
        if matches!(self.phase, Phase::Forced { open: is_open } if is_open == open) {
            return None;
        }
        self.reopened = 0;
        self.refused = 0;
        self.opened = now;
        self.failure = None;
        Some(self.go(Phase::Forced { open }, now, Counts::default()))
    }

    /// Ends what was forced; `None` if nothing was.
    pub(super) fn release(&mut self, now: Duration) -> Option<Change> {
        matches!(self.phase, Phase::Forced { .. }).then(|| self.close(now, Counts::default()))
    }

    fn close(&mut self, now: Duration, counts: Counts) -> Change {
        self.reopened = 0;
        self.go(Phase::Closed, now, counts)
    }

    fn open(
        &mut self,
        now: Duration,
        failure: Failure,
        counts: Counts,
        random: f64,
        settings: &Settings,
    ) -> Change {
        self.failure = Some(failure);
        let most = settings.open_max.max(settings.open_for);
        let grown = grow(settings.open_for, self.reopened, most);
        // Downward only, so that no wait is longer than documented: callers that opened together do not probe together.
        let jittered = grown.saturating_sub(part(grown, JITTER * random));
        let asked = failure.retry_after().unwrap_or_default().min(settings.retry_after_max);
        let until = now.saturating_add(jittered.max(asked));
        self.go(Phase::Open { until }, now, counts)
    }

    fn go(&mut self, phase: Phase, now: Duration, counts: Counts) -> Change {
        let old = self.state();
        self.phase = phase;
        // After four billion changes nobody holds a permit of the first any more.
        self.generation = self.generation.wrapping_add(1);
        self.since = now;
        let Self { failure, refused, generation, .. } = *self;
        Change { old, new: self.state(), failure, counts, refused, generation }
    }
}

/// The part of an open time that chance may take away.
const JITTER: f64 = 0.2;

/// Half as much again each time, up to the most.
fn grow(base: Duration, times: u32, most: Duration) -> Duration {
    let mut grown = base.min(most);
    for _ in 0..times {
        if grown >= most || grown.is_zero() {
            break;
        }
        grown = grown.saturating_add(grown / 2).min(most);
    }
    grown
}

impl Probes {
    /// Places taken: by calls that are out, and by results that are in.
    fn has_place(&self, now: Duration, settings: &Settings) -> bool {
        let out = self.out.iter().filter(|lease| now < lease.until).count() as u64;
        out + u64::from(self.succeeded) + u64::from(self.failed) < settings.probes.get().into()
    }

    fn lend(&mut self, now: Duration, settings: &Settings) -> NonZeroU32 {
        self.out.retain(|lease| now < lease.until);
        self.made = self.made.wrapping_add(1);
        let probe = NonZeroU32::new(self.made).unwrap_or(NonZeroU32::MAX);
        self.out.push(Lease { probe, until: now.saturating_add(settings.probe_lease) });
        probe
    }

    fn take_back(&mut self, probe: Option<NonZeroU32>) {
        self.out.retain(|lease| Some(lease.probe) != probe);
    }

    fn is_idle(&self, now: Duration) -> bool {
        self.out.iter().all(|lease| now >= lease.until)
    }

    fn counts(&self) -> Counts {
        let failures = self.failed.into();
        Counts { calls: u64::from(self.succeeded) + u64::from(self.failed), failures }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_open_circuit_can_be_forgotten_when_its_probes_are_gone_and_nobody_calls() {
        let settings = Settings::default();
        let at = Duration::from_secs;
        let failure = Failure::new(crate::failure::Cause::ConnectionRefused);
        let mut machine = Machine::new();
        let opened = machine.trip(0, at(0), (failure, Counts::default()), 0.0, &settings);
        assert!(opened.is_some());
        let (admission, _) = machine.admit(at(10), &settings);
        let Admission::Pass(probe) = admission else { panic!("its time is over") };
        // It is out, and its lease runs for half a minute.
        assert!(!machine.is_forgettable(at(39), &settings));
        assert!(machine.is_forgettable(at(40), &settings));
        assert!(machine.probed(probe, at(11), Outcome::Cancelled, 0.0, &settings).is_none());
        assert!(!machine.is_forgettable(at(14), &settings));
        assert!(machine.is_forgettable(at(15), &settings));
        assert!(machine.force(true, at(15)).is_some());
        assert!(!machine.is_forgettable(at(1_000), &settings));
    }

    #[test]
    fn growing_ends_however_often_it_was_opened() {
        let (second, most) = (Duration::from_secs(1), Duration::from_secs(8));
        assert_eq!(grow(second, 1, most), Duration::from_millis(1_500));
        assert_eq!(grow(second, u32::MAX, most), most);
        assert_eq!(grow(Duration::ZERO, u32::MAX, most), Duration::ZERO);
        assert_eq!(grow(Duration::MAX, u32::MAX, Duration::MAX), Duration::MAX);
        assert_eq!(grow(most, 0, second), second);
    }
}
