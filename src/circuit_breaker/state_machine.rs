//! The states of a circuit and the transitions between them.
//!
//! This module has no I/O: the caller passes the time and random numbers. Time is a [`Duration`]
//! since the circuit was created. Every transition starts a new generation. A result changes
//! nothing if its call was admitted in an earlier generation.

use std::{mem, num::NonZeroU32, time::Duration};

use seawall_core::Failure;

use super::{
    consecutive::ConsecutiveFailures, open_duration::open_duration, probes::Probes,
    settings::Settings, state::State, window::Counts,
};

/// The state of a circuit, and the failures and rejections that led to it.
#[derive(Clone, Debug, Default)]
pub(super) struct StateMachine {
    pub(super) generation: u32,
    phase: Phase,
    /// The time of the last transition.
    pub(super) state_since: Duration,
    /// The time of the last transition out of the closed state.
    opened_at: Duration,
    /// The number of times that the circuit has reopened without closing in between.
    reopen_count: u32,
    /// The failure that last opened the circuit.
    pub(super) opened_by: Option<Failure>,
    /// The number of calls rejected since the circuit opened.
    pub(super) rejected: u64,
    /// The number of results that arrived after their generation had ended.
    pub(super) stale_results: u64,
    consecutive_failures: ConsecutiveFailures,
    /// The transitions that are not reported yet.
    transitions: Vec<Transition>,
}

/// A [`State`] with its data.
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
    /// The failure that opened the circuit.
    pub(super) opened_by: Option<Failure>,
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
    /// The failure that last opened the circuit.
    pub(super) opened_by: Option<Failure>,
    pub(super) counts: Counts,
    pub(super) rejected: u64,
    /// The generation of the new state. It orders transitions that two threads report at the same
    /// time.
    pub(super) generation: u32,
}

/// The wait in a rejection by a half-open circuit without a free slot. A probe takes about as long.
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
        self.consecutive_failures.count() > 0
    }

    /// Takes the transitions since the last call of this method, in order.
    pub(super) fn take_transitions(&mut self) -> Vec<Transition> {
        mem::take(&mut self.transitions)
    }

    /// Admits a call, or returns the reason for its rejection.
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
            opened_by: self.opened_by,
            wait: Some(Duration::ZERO),
            time_open: now.saturating_sub(self.opened_at),
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
        let time_open = now.saturating_sub(self.opened_at);
        Some(Rejection { opened_by: self.opened_by, wait, time_open })
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
    /// A closed circuit is evictable if a new one would behave the same. An open or half-open
    /// circuit is evictable if it has received no call for the maximum open duration since a call
    /// could have closed it.
    pub(super) fn is_evictable(&self, now: Duration, settings: &Settings) -> bool {
        let closable_since = match &self.phase {
            Phase::Closed if settings.failure_ratio.is_some() => return true,
            // There is no window, but its length is still the time for which failures are kept.
            Phase::Closed => return !self.consecutive_failures.is_recent(now, settings.window()),
            Phase::Open { until } => *until,
            Phase::HalfOpen(probes) if probes.is_idle(now) => self.state_since,
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

    /// Returns whether a result of `generation` counts. Otherwise, counts it as stale.
    pub(super) fn accepts(&mut self, generation: u32) -> bool {
        let accepts = generation == self.generation;
        if !accepts {
            self.stale_results = self.stale_results.saturating_add(1);
        }
        accepts
    }

    /// Records a success outside of the half-open state.
    pub(super) fn record_success(&mut self) {
        self.consecutive_failures.clear();
    }

    /// Records a failure outside of the half-open state. Opens a closed circuit if its failures
    /// reach a threshold.
    ///
    /// `counts` has the counts of the window, including this failure, or `None` if there is no
    /// window. `random` is in `[0, 1)`.
    pub(super) fn record_failure(
        &mut self,
        now: Duration,
        failure: Failure,
        counts: Option<Counts>,
        random: f64,
        settings: &Settings,
    ) {
        let Settings { failure_ratio, min_calls, bucket_width, .. } = *settings;
        self.consecutive_failures.add(now, bucket_width);
        let consecutive = self.consecutive_failures.count();
        let ratio_reached = counts.zip(failure_ratio).is_some_and(|(counts, ratio)| {
            counts.calls >= min_calls.into() && ratio.is_reached_by(counts.failures, counts.calls)
        });
        let streak_count = self.consecutive_failures.streak_count(bucket_width);
        let all_failed =
            counts.is_some() && streak_count.is_some_and(|failures| failures >= min_calls);
        let consecutive_reached =
            settings.consecutive_failures.is_some_and(|threshold| consecutive >= threshold.get());
        let should_open = ratio_reached || all_failed || consecutive_reached;
        if should_open && matches!(self.phase, Phase::Closed) {
            self.rejected = 0;
            self.opened_at = now;
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
        // The result counts even if the slot has expired and another probe has taken it. Otherwise,
        // calls that take longer than the probe timeout would keep the circuit half-open forever.
        probes.release_slot(admission.probe);
        match outcome {
            Outcome::Cancelled => {}
            Outcome::Success => {
                probes.succeeded += 1;
                let remaining = settings.half_open_probes.get().saturating_sub(probes.succeeded);
                // The circuit closes if failures of all remaining probes could not reopen it.
                if !settings.reopens_after(remaining) {
                    let counts = probes.counts();
                    self.close(now, counts);
                }
            }
            Outcome::Failure(failure) => {
                probes.failed += 1;
                if settings.reopens_after(probes.failed) {
                    let counts = probes.counts();
                    self.reopen_count = self.reopen_count.saturating_add(1);
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
        self.reopen_count = 0;
        self.rejected = 0;
        self.opened_at = now;
        self.opened_by = None;
        self.transition(Phase::Forced { open }, now, Counts::default());
    }

    /// Closes a forced circuit. Does nothing if the circuit is not forced.
    pub(super) fn release(&mut self, now: Duration) {
        if matches!(self.phase, Phase::Forced { .. }) {
            self.close(now, Counts::default());
        }
    }

    fn close(&mut self, now: Duration, counts: Counts) {
        self.reopen_count = 0;
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
        self.opened_by = Some(failure);
        let open_duration = open_duration(failure, self.reopen_count, random, settings);
        let until = now.saturating_add(open_duration);
        self.transition(Phase::Open { until }, now, counts);
    }

    fn transition(&mut self, phase: Phase, now: Duration, counts: Counts) {
        let old = self.state();
        self.phase = phase;
        // The number wraps after 2^32 transitions. No call is in flight for so long.
        self.generation = self.generation.wrapping_add(1);
        self.state_since = now;
        self.consecutive_failures.clear();
        let Self { opened_by, rejected, generation, .. } = *self;
        let new = self.state();
        self.transitions.push(Transition { old, new, opened_by, counts, rejected, generation });
    }
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
}
