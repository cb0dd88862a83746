//! Counts the permits whose response body is not being read, so that they can be released.
//!
//! Nothing polls a body that is not read, so no timer can observe it. The counts are kept per
//! period instead. A rejected call starts a new period if the current one has lasted long enough.
//! Then it releases the permits that have been unread since the period before.

use std::time::Duration;

use tokio::time::Instant;

use crate::sync::{AtomicU32, AtomicU64, Mutex, Ordering, lock};

#[derive(Debug)]
pub(super) struct Unread {
    period: AtomicU32,
    /// The counts of the current and of the last period, each at the parity of its period. The
    /// upper half of a word is its period, the lower half the number of permits.
    counts: [AtomicU64; 2],
    /// The start of the current period.
    started: Mutex<Instant>,
}

const fn word(period: u32) -> u64 {
    (period as u64) << 32
}

const fn period_of(word: u64) -> u32 {
    (word >> 32) as u32
}

impl Unread {
    pub(super) fn new() -> Self {
        // No permit is of the period before the first.
        let counts = [AtomicU64::new(word(0)), AtomicU64::new(word(u32::MAX))];
        Self { period: AtomicU32::new(0), counts, started: Mutex::new(Instant::now()) }
    }

    /// Counts a permit, and returns its period.
    pub(super) fn enter(&self) -> u32 {
        loop {
            let period = self.period.load(Ordering::Acquire);
            if self.update(period, |word| word + 1) {
                return period;
            }
        }
    }

    /// Stops counting a permit. Returns `false` if it has been released.
    pub(super) fn leave(&self, period: u32) -> bool {
        self.update(period, |word| word - 1)
    }

    /// Returns whether `period` is the current one.
    pub(super) fn is_current(&self, period: u32) -> bool {
        self.period.load(Ordering::Relaxed) == period
    }

    fn update(&self, period: u32, change: impl Fn(u64) -> u64) -> bool {
        let count = &self.counts[period as usize % 2];
        let change = |word| (period_of(word) == period).then(|| change(word));
        count.fetch_update(Ordering::AcqRel, Ordering::Acquire, change).is_ok()
    }

    /// Starts a new period if the current one has lasted for `timeout`. Returns the number of
    /// permits that were unread since the last period, which are released.
    pub(super) fn release(&self, timeout: Duration) -> u32 {
        let now = Instant::now();
        let mut started = lock(&self.started);
        if now.saturating_duration_since(*started) < timeout {
            return 0;
        }
        *started = now;
        let period = self.period.load(Ordering::Relaxed).wrapping_add(1);
        let released = self.counts[period as usize % 2].swap(word(period), Ordering::AcqRel);
        self.period.store(period, Ordering::Release);
        released as u32
    }
}
