//! The states of a circuit and the transitions between them. Pure: no clock, no lock, no randomness
//! of its own.
//!
//! Time is a [`Duration`] since a fixed moment. Every transition starts a new generation. The
//! result of a call that was admitted in an earlier generation changes nothing.

use std::{mem, num::NonZeroU32, time::Duration};

use seawall_core::Failure;

use super::{consecutive::ConsecutiveFailures, probes::Probes, settings::Settings, window::Counts};
use crate::jitter::scale;

/// The state of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// All calls pass, and their results are counted.
    Closed,
    /// No call passes.
    Open,
    /// A few calls pass as probes, to find out whether the upstream has recovered.
    HalfOpen,
    /// No call passes, until [`release`](super::Circuit::release).
    ForcedOpen,
    /// All calls pass whatever their results, until [`release`](super::Circuit::release).
    ForcedClosed,
}

impl State {
    /// Returns the name used in logs and metrics, such as `half_open`.
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

#[derive(Clone, Debug, Default)]
pub(super) struct StateMachine {
    pub(super) generation: u32,
    phase: Phase,
    pub(super) since: Duration,
    /// The time of the last transition out of the closed state.
    opened: Duration,
    /// The number of times that the circuit has reopened without closing in between.
    reopened: u32,
    /// The failure that last opened the circuit.
    pub(super) failure: Option<Failure>,
    /// Calls rejected since the circuit opened.
    pub(super) rejected: u64,
    /// Results that arrived after their generation had ended.
    pub(super) stale_results: u64,
    consecutive: ConsecutiveFailures,
    transitions: Vec<Transition>,
}

#[derive(Clone, Debug, Default)]
enum Phase {
    #[default]
    Closed,
    Open {
        until: Duration,
    },
    HalfOpen(Probes),
    Forced {
        open: bool,
    },
}

/// Identifies an admitted call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Admission {
    pub(super) generation: u32,
    /// The number of the probe, if the call is one.
    pub(super) probe: Option<NonZeroU32>,
}

/// The reason why a call is not admitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rejection {
    pub(super) failure: Option<Failure>,
    /// The time until a call may be admitted, if known.
    pub(super) wait: Option<Duration>,
    pub(super) time_open: Duration,
}

/// The outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    Success,
    Failure(Failure),
    /// Neither success nor failure.
    Cancelled,
}

/// A change of state, reported after the lock is released.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Transition {
    pub(super) old: State,
    pub(super) new: State,
    pub(super) failure: Option<Failure>,
    pub(super) counts: Counts,
    pub(super) rejected: u64,
    /// The generation of the new state. It orders transitions that two threads report at the same
    /// time.
    pub(super) generation: u32,
}

/// The wait in a rejection by a half-open circuit without a free slot. About the duration of a
/// probe.
const PROBE_WAIT: Duration = Duration::from_secs(1);

impl StateMachine {
    pub(super) const fn state(&self) -> State {
        match self.phase {
            Phase::Closed => State::Closed,
            Phase::Open { .. } => State::Open,
            Phase::HalfOpen(_) => State::HalfOpen,
            Phase::Forced { open: true } => State::ForcedOpen,
            Phase::Forced { open: false } => State::ForcedClosed,
        }
    }

    /// Returns whether every call is admitted.
    pub(super) const fn admits_all(&self) -> bool {
        matches!(self.phase, Phase::Closed | Phase::Forced { open: false })
    }

    pub(super) const fn has_consecutive_failures(&self) -> bool {
        self.consecutive.count() > 0
    }

    /// Takes the transitions since the previous call, in order.
    pub(super) fn take_transitions(&mut self) -> Vec<Transition> {
        mem::take(&mut self.transitions)
    }

    pub(super) fn admit(
        &mut self,
        now: Duration,
        settings: &Settings,
    ) -> Result<Admission, Rejection> {
        if matches!(self.phase, Phase::Open { until } if now >= until) {
            self.transition(Phase::HalfOpen(Probes::default()), now, Counts::default());
        }
        if let Some(rejection) = self.rejection(now, settings) {
            self.rejected = self.rejected.saturating_add(1);
            return Err(rejection);
        }
        let probe = match &mut self.phase {
            Phase::HalfOpen(probes) => Some(probes.acquire_slot(now, settings)),
            _ => None,
        };
        Ok(Admission { generation: self.generation, probe })
    }

    /// Rejects a call, even if it could be admitted now.
    pub(super) fn reject(&mut self, now: Duration, settings: &Settings) -> Rejection {
        self.rejected = self.rejected.saturating_add(1);
        self.rejection(now, settings).unwrap_or(Rejection {
            failure: self.failure,
            wait: Some(Duration::ZERO),
            time_open: now.saturating_sub(self.opened),
        })
    }

    /// Returns the reason why a call would be rejected now.
    pub(super) fn rejection(&self, now: Duration, settings: &Settings) -> Option<Rejection> {
        let wait = match &self.phase {
            Phase::Closed | Phase::Forced { open: false } => return None,
            Phase::Open { until } if now >= *until => return None,
            Phase::Open { until } => Some(until.saturating_sub(now)),
            Phase::HalfOpen(probes) if probes.has_free_slot(now, settings) => return None,
            Phase::HalfOpen(_) => Some(PROBE_WAIT),
            Phase::Forced { open: true } => None,
        };
        let time_open = now.saturating_sub(self.opened);
        Some(Rejection { failure: self.failure, wait, time_open })
    }

    /// Returns the results of the probes while the circuit is half-open.
    pub(super) fn probe_counts(&self) -> Option<Counts> {
        match &self.phase {
            Phase::HalfOpen(probes) => Some(probes.counts()),
            _ => None,
        }
    }

    /// Returns whether a new circuit may replace this one. Ignores the results in the window.
    ///
    /// A closed circuit is evictable if a new one would behave the same. A circuit in another state
    /// is evictable if no call has arrived for the maximum open duration since one could have
    /// closed it.
    pub(super) fn is_evictable(&self, now: Duration, settings: &Settings) -> bool {
        let closable_since = match &self.phase {
            Phase::Closed if settings.ratio.is_some() => return true,
            // There is no window. Its length is still the time for which failures are remembered.
            Phase::Closed => return !self.consecutive.is_recent(now, settings.window()),
            Phase::Open { until } => *until,
            Phase::HalfOpen(probes) if probes.is_idle(now) => self.since,
            Phase::HalfOpen(_) | Phase::Forced { .. } => return false,
        };
        now.saturating_sub(closable_since) >= settings.max_open_duration.max(settings.open_duration)
    }

    /// Returns the time until the next probe may be admitted.
    pub(super) fn next_probe(&self, now: Duration) -> Option<Duration> {
        match self.phase {
            Phase::Open { until } => Some(until.saturating_sub(now)),
            _ => None,
        }
    }

    /// Returns whether a result of `generation` counts. If not, counts it as stale.
    pub(super) fn accepts(&mut self, generation: u32) -> bool {
        let accepts = generation == self.generation;
        if !accepts {
            self.stale_results = self.stale_results.saturating_add(1);
        }
        accepts
    }

    /// Records a success outside of the half-open state.
    pub(super) fn record_success(&mut self) {
        self.consecutive.clear();
    }

    /// Records a failure outside of the half-open state. Opens a closed circuit if its failures
    /// reach a threshold.
    ///
    /// `counts` are the counts of the window, including this failure. `None` if there is no window.
    /// `random` is in `[0, 1)`.
    pub(super) fn record_failure(
        &mut self,
        now: Duration,
        failure: Failure,
        counts: Option<Counts>,
        random: f64,
        settings: &Settings,
    ) {
        let Settings { ratio, min_calls, bucket_width, consecutive: max_consecutive, .. } =
            *settings;
        self.consecutive.add(now, bucket_width);
        let consecutive = self.consecutive.count();
        let too_many_in_window = counts.zip(ratio).is_some_and(|(counts, ratio)| {
            counts.calls >= min_calls.into() && ratio.is_reached_by(counts.failures, counts.calls)
        });
        let all_failed = counts.is_some()
            && self.consecutive.streak(bucket_width).is_some_and(|failures| failures >= min_calls);
        let too_many_consecutive = max_consecutive.is_some_and(|max| consecutive >= max.get());
        let trips = too_many_in_window || all_failed || too_many_consecutive;
        if trips && matches!(self.phase, Phase::Closed) {
            self.rejected = 0;
            self.opened = now;
            let consecutive = Counts { calls: consecutive.into(), failures: consecutive.into() };
            self.open(now, failure, counts.unwrap_or(consecutive), random, settings);
        }
    }

    /// Records the outcome of a probe. `random` is in `[0, 1)`.
    pub(super) fn record_probe(
        &mut self,
        admission: Admission,
        now: Duration,
        outcome: Outcome,
        random: f64,
        settings: &Settings,
    ) {
        if !self.accepts(admission.generation) {
            return;
        }
        let Phase::HalfOpen(probes) = &mut self.phase else { return };
        // If the slot had expired, another probe may have taken it. The result counts anyway.
        // Otherwise calls that take longer than the probe timeout would keep the circuit half-open
        // forever.
        probes.release_slot(admission.probe);
        match outcome {
            Outcome::Cancelled => {}
            Outcome::Success => {
                probes.succeeded += 1;
                let others = settings.probes.get().saturating_sub(probes.succeeded);
                // The circuit closes if it would close even if all other probes failed.
                if !settings.reopens_after(others) {
                    let counts = probes.counts();
                    self.close(now, counts);
                }
            }
            Outcome::Failure(failure) => {
                probes.failed += 1;
                if settings.reopens_after(probes.failed) {
                    let counts = probes.counts();
                    self.reopened = self.reopened.saturating_add(1);
                    self.open(now, failure, counts, random, settings);
                }
            }
        }
    }

    /// Forces the circuit open or closed. Does nothing if it is already forced to that state.
    pub(super) fn force(&mut self, open: bool, now: Duration) {
        if matches!(self.phase, Phase::Forced { open: is_open } if is_open == open) {
            return;
        }
        self.reopened = 0;
        self.rejected = 0;
        self.opened = now;
        self.failure = None;
        self.transition(Phase::Forced { open }, now, Counts::default());
    }

    /// Closes a forced circuit. Does nothing if the circuit is not forced.
    pub(super) fn release(&mut self, now: Duration) {
        if matches!(self.phase, Phase::Forced { .. }) {
            self.close(now, Counts::default());
        }
    }

    fn close(&mut self, now: Duration, counts: Counts) {
        self.reopened = 0;
        self.transition(Phase::Closed, now, counts);
    }

    fn open(
        &mut self,
        now: Duration,
        failure: Failure,
        counts: Counts,
        random: f64,
        settings: &Settings,
    ) {
        self.failure = Some(failure);
        let max = settings.max_open_duration.max(settings.open_duration);
        let grown = grow(settings.open_duration, self.reopened, max);
        // Jitter only shortens the wait, so no wait is longer than documented.
        let jittered = grown.saturating_sub(scale(grown, JITTER * random));
        let retry_after = failure.retry_after().unwrap_or_default().min(settings.max_retry_after);
        let until = now.saturating_add(jittered.max(retry_after));
        self.transition(Phase::Open { until }, now, counts);
    }

    fn transition(&mut self, phase: Phase, now: Duration, counts: Counts) {
        let old = self.state();
        self.phase = phase;
        // The number wraps after four billion transitions. No call of that generation is still in
        // flight then.
        self.generation = self.generation.wrapping_add(1);
        self.since = now;
        self.consecutive.clear();
        let Self { failure, rejected, generation, .. } = *self;
        let new = self.state();
        self.transitions.push(Transition { old, new, failure, counts, rejected, generation });
    }
}

/// The maximum part of the open duration that jitter subtracts.
const JITTER: f64 = 0.2;

/// Multiplies `base` by 1.5 `times` times, up to `max`.
fn grow(base: Duration, times: u32, max: Duration) -> Duration {
    let mut grown = base.min(max);
    for _ in 0..times {
        if grown >= max || grown.is_zero() {
            break;
        }
        grown = grown.saturating_add(grown / 2).min(max);
    }
    grown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_open_circuit_is_evictable_when_no_probe_is_in_flight_and_no_call_arrives() {
        let settings = Settings { min_calls: 1, ..Settings::default() };
        let at = Duration::from_secs;
        let failure = Failure::new(seawall_core::Cause::ConnectionRefused);
        let counts = Some(Counts { calls: 1, failures: 1 });
        let mut machine = StateMachine::default();
        machine.record_failure(at(0), failure, counts, 0.0, &settings);
        assert_eq!(machine.state(), State::Open);
        let probe = machine.admit(at(10), &settings).unwrap();
        // The slot of the probe expires after 30 s.
        assert!(!machine.is_evictable(at(39), &settings));
        assert!(machine.is_evictable(at(40), &settings));
        machine.record_probe(probe, at(11), Outcome::Cancelled, 0.0, &settings);
        assert_eq!(machine.state(), State::HalfOpen);
        assert!(!machine.is_evictable(at(14), &settings));
        assert!(machine.is_evictable(at(15), &settings));
        machine.force(true, at(15));
        assert_eq!(machine.state(), State::ForcedOpen);
        assert!(!machine.is_evictable(at(1_000), &settings));
    }

    #[test]
    fn open_duration_stops_growing_at_maximum() {
        let (second, max) = (Duration::from_secs(1), Duration::from_secs(8));
        assert_eq!(grow(second, 1, max), Duration::from_millis(1_500));
        assert_eq!(grow(second, u32::MAX, max), max);
        assert_eq!(grow(Duration::ZERO, u32::MAX, max), Duration::ZERO);
        assert_eq!(grow(Duration::MAX, u32::MAX, Duration::MAX), Duration::MAX);
        assert_eq!(grow(max, 0, second), second);
    }
}
