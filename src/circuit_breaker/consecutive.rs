//! Consecutive failures, with no success in between. Like the state machine, this module reads no
//! clock: the caller passes the time since a fixed instant.

use std::time::Duration;

/// Counts failures until a success clears them.
#[derive(Clone, Debug, Default)]
pub(super) struct ConsecutiveFailures {
    count: u32,
    last_failure: Duration,
    streak: Streak,
}

/// The consecutive failures since the last long pause. A failure before a pause does not show that
/// the upstream was down during the pause.
#[derive(Clone, Debug, Default)]
struct Streak {
    count: u32,
    started: Duration,
}

impl ConsecutiveFailures {
    /// Adds a failure. Starts a new streak if more than `max_pause` has passed since the previous
    /// failure.
    pub(super) fn add(&mut self, now: Duration, max_pause: Duration) {
        if self.count == 0 || now.saturating_sub(self.last_failure) > max_pause {
            self.streak = Streak { count: 0, started: now };
        }
        self.last_failure = self.last_failure.max(now);
        self.count = self.count.saturating_add(1);
        self.streak.count = self.streak.count.saturating_add(1);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// Returns the number of failures in the current streak if its first and last failure are at
    /// least `min_duration` apart.
    pub(super) fn streak_count(&self, min_duration: Duration) -> Option<u32> {
        let duration = self.last_failure.saturating_sub(self.streak.started);
        (duration >= min_duration).then_some(self.streak.count)
    }

    /// Returns whether the last failure is less than `period` ago.
    pub(super) fn is_recent(&self, now: Duration, period: Duration) -> bool {
        self.count > 0 && now.saturating_sub(self.last_failure) < period
    }
}
