//! Whether anything has succeeded of late. Pure: time is handed in, counted from any fixed moment.

use std::time::Duration;

/// Failures with no success between them, and no long silence either: one after a silence begins a new streak, since what
/// failed before it says nothing of now.
#[derive(Debug, Default)]
pub(super) struct Streak {
    run: Run,
    began: Duration,
    last: Duration,
    failures: u32,
}

/// What stays the same as long as nothing succeeds, and the circuit does not change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) generation: u32,
    pub(super) successes: u64,
}

impl Streak {
    /// Adds a failure. Gives how many there are, once they have gone on for `least`; a silence is longer than that.
    pub(super) fn add(&mut self, run: Run, now: Duration, least: Duration) -> Option<u32> {
        let is_silent = now.saturating_sub(self.last) > least;
        if self.failures == 0 || run != self.run || is_silent {
            *self = Self { run, began: now, last: now, failures: 0 };
        }
        self.last = self.last.max(now);
        self.failures = self.failures.saturating_add(1);
        (now.saturating_sub(self.began) >= least).then_some(self.failures)
    }
}
