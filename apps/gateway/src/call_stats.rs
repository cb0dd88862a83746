//! The recent calls to an upstream: counts per second for five minutes, and groups of similar
//! failures.

use std::{
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use seawall::{Failure, retry::StopReason};
use tokio::time::Instant;

use crate::latency::LatencyWindow;

/// The period that the counts cover, in seconds.
const WINDOW_SECONDS: usize = 300;

/// The maximum number of failure groups per upstream.
const MAX_GROUPS: usize = 12;

/// The maximum time between two failures of a group.
const GROUP_GAP: Duration = Duration::from_secs(60);

/// The outcome of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    Succeeded,
    /// Succeeded after a retry.
    Recovered(FailedCall),
    Failed(FailedCall),
    /// Rejected by an open circuit.
    Rejected,
}

/// A call that failed at least once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FailedCall {
    pub(crate) failure: Failure,
    /// The summary of the classifier's evidence.
    pub(crate) evidence: Option<&'static str>,
    pub(crate) attempts: NonZeroU32,
    /// The reason why retrying stopped, if a retry was considered.
    pub(crate) stop_reason: Option<StopReason>,
}

/// The number of calls by outcome: succeeded, recovered, failed, rejected.
pub(crate) type Counts = [u32; 4];

/// Failures with the same cause, reporter and status.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FailureGroup {
    pub(crate) latest: FailedCall,
    pub(crate) recovered: bool,
    pub(crate) count: u64,
    pub(crate) first_at: Instant,
    pub(crate) last_at: Instant,
}

#[derive(Debug)]
pub(crate) struct CallStats {
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The latest second in `counts`, since the start.
    current_second: u64,
    /// A ring buffer, indexed by second modulo its length.
    counts: [Counts; WINDOW_SECONDS],
    groups: Vec<FailureGroup>,
    latency: LatencyWindow,
}

impl Default for CallStats {
    fn default() -> Self {
        let state = State {
            current_second: 0,
            counts: [[0; 4]; WINDOW_SECONDS],
            groups: Vec::new(),
            latency: LatencyWindow::default(),
        };
        Self { started: Instant::now(), state: Mutex::new(state) }
    }
}

impl CallStats {
    pub(crate) fn record(&self, outcome: Outcome) {
        let (column, failed_call) = match outcome {
            Outcome::Succeeded => (0, None),
            Outcome::Recovered(call) => (1, Some((call, true))),
            Outcome::Failed(call) => (2, Some((call, false))),
            Outcome::Rejected => (3, None),
        };
        let mut state = self.lock_current();
        let row = state.current_second as usize % WINDOW_SECONDS;
        state.counts[row][column] = state.counts[row][column].saturating_add(1);
        if let Some((call, recovered)) = failed_call {
            state.record_failure(call, recovered);
        }
    }

    /// Records the time until the head of a response, or until an error.
    pub(crate) fn record_latency(&self, latency: Duration) {
        let mut state = self.lock_current();
        let second = state.current_second;
        state.latency.record(second, latency);
    }

    /// Returns p50 and p95 of the last minute. `None` if there was no call.
    pub(crate) fn latency(&self) -> Option<[Duration; 2]> {
        let mut state = self.lock_current();
        let second = state.current_second;
        state.latency.percentiles(second, [0.5, 0.95])
    }

    /// Returns the counts in slots of `seconds`, oldest first. The last slot is incomplete.
    /// `seconds` must divide 60.
    pub(crate) fn slots(&self, seconds: usize) -> Vec<Counts> {
        let state = self.lock_current();
        let current_slot = state.current_second / seconds as u64;
        let slot_count = (WINDOW_SECONDS / seconds) as u64;
        (0..slot_count)
            .map(|index| {
                let slot = (current_slot + 1 + index).checked_sub(slot_count);
                // Slots before the start are empty.
                slot.map_or([0; 4], |slot| state.sum(slot * seconds as u64, seconds as u64))
            })
            .collect()
    }

    /// Returns the counts of the last minute.
    pub(crate) fn last_minute(&self) -> Counts {
        let state = self.lock_current();
        let end = state.current_second + 1;
        let first = end.saturating_sub(60);
        state.sum(first, end - first)
    }

    /// Returns the failure groups.
    pub(crate) fn failure_groups(&self) -> Vec<FailureGroup> {
        self.lock_current().groups.clone()
    }

    /// Clears the counts and the latencies, and keeps the failures.
    pub(crate) fn clear_counts(&self) {
        let mut state = self.lock_current();
        state.counts = [[0; 4]; WINDOW_SECONDS];
        state.latency = LatencyWindow::default();
    }

    /// Locks the state and advances it to the current second.
    fn lock_current(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.advance_to(self.started.elapsed().as_secs());
        state
    }
}

impl State {
    /// Clears the counts of the seconds since the last call.
    fn advance_to(&mut self, second: u64) {
        let elapsed = second.saturating_sub(self.current_second).min(WINDOW_SECONDS as u64);
        self.current_second = self.current_second.max(second);
        for age in 0..elapsed {
            self.counts[(self.current_second - age) as usize % WINDOW_SECONDS] = [0; 4];
        }
    }

    /// Returns the sum of the counts from the second `first` on.
    fn sum(&self, first: u64, seconds: u64) -> Counts {
        let mut sum = [0; 4];
        for second in first..(first + seconds).min(self.current_second + 1) {
            let counts = self.counts[second as usize % WINDOW_SECONDS];
            for (sum, count) in sum.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        sum
    }

    fn record_failure(&mut self, call: FailedCall, recovered: bool) {
        let now = Instant::now();
        let group = self.groups.iter_mut().rev().find(|group| {
            let (old, new) = (&group.latest.failure, &call.failure);
            group.recovered == recovered
                && old.cause() == new.cause()
                && old.reporter() == new.reporter()
                && old.status() == new.status()
                && now - group.last_at < GROUP_GAP
        });
        if let Some(group) = group {
            // A failure without a response has no evidence, so the earlier evidence is kept.
            group.latest = FailedCall { evidence: call.evidence.or(group.latest.evidence), ..call };
            group.count += 1;
            group.last_at = now;
            return;
        }
        let group = FailureGroup { latest: call, recovered, count: 1, first_at: now, last_at: now };
        if self.groups.len() < MAX_GROUPS {
            self.groups.push(group);
        } else if let Some(oldest) = self.groups.iter_mut().min_by_key(|group| group.last_at) {
            *oldest = group;
        }
    }
}

#[cfg(test)]
mod tests {
    use seawall::Cause;

    use super::*;

    fn failed_call(cause: Cause) -> FailedCall {
        let failure = Failure::new(cause);
        FailedCall { failure, evidence: None, attempts: NonZeroU32::MIN, stop_reason: None }
    }

    #[tokio::test(start_paused = true)]
    async fn counts_expire_after_five_minutes() {
        let stats = CallStats::default();
        for _ in 0..3 {
            stats.record(Outcome::Succeeded);
        }
        tokio::time::advance(Duration::from_secs(59)).await;
        stats.record(Outcome::Rejected);
        assert_eq!(stats.last_minute(), [3, 0, 0, 1]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(stats.last_minute(), [0, 0, 0, 1]);
        let slots = stats.slots(5);
        assert_eq!((slots.len(), slots[47], slots[58]), (60, [3, 0, 0, 0], [0, 0, 0, 1]));
        tokio::time::advance(Duration::from_secs(240)).await;
        assert_eq!(stats.slots(5)[10], [0, 0, 0, 1]);
        tokio::time::advance(Duration::from_secs(86_400)).await;
        assert!(stats.slots(5).iter().all(|slot| *slot == [0; 4]));
    }

    #[tokio::test(start_paused = true)]
    async fn similar_failures_share_one_of_12_groups() {
        let stats = CallStats::default();
        for _ in 0..1_000 {
            stats.record(Outcome::Failed(failed_call(Cause::BadGateway)));
            stats.record(Outcome::Recovered(failed_call(Cause::BadGateway)));
        }
        let groups = stats.failure_groups();
        assert_eq!(
            groups.iter().map(|group| (group.recovered, group.count)).collect::<Vec<_>>(),
            [(false, 1_000), (true, 1_000)]
        );
        for cause in Cause::ALL {
            stats.record(Outcome::Failed(failed_call(*cause)));
        }
        let groups = stats.failure_groups();
        assert_eq!(groups.len(), MAX_GROUPS);
        let last = Cause::ALL.last().unwrap();
        assert!(groups.iter().any(|group| group.latest.failure.cause() == *last));
    }

    #[tokio::test(start_paused = true)]
    async fn failure_starts_new_group_after_a_minute() {
        let stats = CallStats::default();
        stats.record(Outcome::Failed(failed_call(Cause::BadGateway)));
        tokio::time::advance(GROUP_GAP).await;
        stats.record(Outcome::Failed(failed_call(Cause::BadGateway)));
        assert_eq!(stats.failure_groups().len(), 2);
    }
}
