//! Summaries of rejected calls. A flood of rejections emits few events.

use std::time::Duration;

use tokio::time::Instant;

use crate::sync::{AtomicU64, Mutex, Ordering, lock};

/// The minimum time between two events of one circuit, limit or log.
const INTERVAL: Duration = Duration::from_secs(60);

/// The rejections that no event has reported yet.
#[derive(Debug, Default)]
pub(crate) struct Rejections {
    unreported: AtomicU64,
    last_event: Mutex<Option<Instant>>,
}

impl Rejections {
    /// Counts a rejection. Returns the number of rejections to report, if an event is due.
    ///
    /// The first rejection is reported at once.
    pub(crate) fn record(&self, now: Instant) -> Option<u64> {
        self.unreported.fetch_add(1, Ordering::Relaxed);
        self.take_due(now)
    }

    /// Returns the number of rejections to report, if there are any and an event is due.
    ///
    /// Reads no clock if there are none.
    pub(crate) fn take(&self, now: impl FnOnce() -> Instant) -> Option<u64> {
        if self.unreported.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.take_due(now())
    }

    /// Starts an interval, because another event has reported the rejections so far.
    pub(crate) fn restart(&self, now: Instant) {
        let mut last_event = lock(&self.last_event);
        *last_event = Some(now);
        self.unreported.store(0, Ordering::Relaxed);
    }

    fn take_due(&self, now: Instant) -> Option<u64> {
        let mut last_event = lock(&self.last_event);
        if last_event.is_some_and(|last| now.saturating_duration_since(last) < INTERVAL) {
            return None;
        }
        // Zero if another thread has just reported them.
        let unreported = self.unreported.swap(0, Ordering::Relaxed);
        if unreported == 0 {
            return None;
        }
        *last_event = Some(now);
        Some(unreported)
    }
}
