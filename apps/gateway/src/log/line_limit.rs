//! A limit on the number of equal lines.

use std::time::Duration;

use tokio::time::Instant;

/// Limits how often a line is logged.
#[derive(Debug)]
pub(crate) struct LineLimit {
    interval: Duration,
    last: Option<Instant>,
}

impl LineLimit {
    /// Creates a limit of one line per interval.
    pub(crate) const fn new(interval: Duration) -> Self {
        Self { interval, last: None }
    }

    /// Returns whether to log a line now.
    pub(crate) fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.last.is_none_or(|last| now >= last + self.interval);
        if is_due {
            self.last = Some(now);
        }
        is_due
    }
}
