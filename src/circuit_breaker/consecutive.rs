//! Consecutive failures: failures without a success in between. Pure: the caller passes the time
//! since a fixed moment.

use std::time::Duration;

/// Counts failures until a success clears them.
#[derive(Clone, Debug, Default)]
pub(super) struct ConsecutiveFailures {
    count: u32,
    last: Duration,
    streak: Streak,
}

/// The most recent consecutive failures. A long pause starts a new streak, because a failure before
/// the pause does not show that the upstream was down during the pause.
#[derive(Clone, Debug, Default)]
struct Streak {
    count: u32,
    since: Duration,
}

impl ConsecutiveFailures {
    /// Adds a failure. Starts a new streak if more than `max_pause` has passed since the previous
    /// failure.
    pub(super) fn add(&mut self, now: Duration, max_pause: Duration) {
        if self.count == 0 || now.saturating_sub(self.last) > max_pause {
            self.streak = Streak { count: 0, since: now };
        }
        self.last = self.last.max(now);
        self.count = self.count.saturating_add(1);
        self.streak.count = self.streak.count.saturating_add(1);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// Returns the number of failures in the current streak if the streak has lasted for
    /// `min_duration`.
    pub(super) fn streak(&self, min_duration: Duration) -> Option<u32> {
        let lasted = self.last.saturating_sub(self.streak.since);
        (lasted >= min_duration).then_some(self.streak.count)
    }

    /// Returns whether the last failure is less than `period` ago.
    pub(super) fn is_recent(&self, now: Duration, period: Duration) -> bool {
        self.count > 0 && now.saturating_sub(self.last) < period
    }
}
