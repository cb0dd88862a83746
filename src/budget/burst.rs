//! The limit on retries within one second.

use std::time::Duration;

/// The number of buckets, each a tenth of a second. The current bucket and the ten before it cover
/// more than a second, which errs on the side of fewer retries.
const BUCKETS: usize = 11;

/// The number of retries that any second allows, however few the calls are. Simultaneous failures,
/// such as those of all connections in a pool, can then be retried at once.
const MIN_BURST: u64 = 10;

/// The retries of the last second.
#[derive(Debug, Default)]
pub(super) struct BurstLimit {
    /// The current tenth of a second, counted from the origin of `elapsed`.
    current_tenth: u64,
    /// The retries by tenth of a second, modulo the length.
    retries: [u32; BUCKETS],
    sum: u64,
}

impl BurstLimit {
    /// Returns whether another retry is allowed, if any second allows `max` retries.
    ///
    /// `elapsed` is the time since a fixed instant. The window stays in place if the time goes
    /// back.
    pub(super) fn allows_retry(&mut self, max: u64, elapsed: Duration) -> bool {
        self.slide(u64::try_from(elapsed.as_millis() / 100).unwrap_or(u64::MAX));
        self.sum < max.max(MIN_BURST)
    }

    /// Counts a retry in the current bucket.
    pub(super) fn record_retry(&mut self) {
        let retries = &mut self.retries[index(self.current_tenth)];
        if let Some(incremented) = retries.checked_add(1) {
            *retries = incremented;
            self.sum += 1;
        }
    }

    fn slide(&mut self, tenth: u64) {
        let passed = tenth.saturating_sub(self.current_tenth);
        // After a whole window, every bucket is already empty.
        for step in 1..=passed.min(BUCKETS as u64) {
            let expired = &mut self.retries[index(self.current_tenth + step)];
            self.sum -= u64::from(std::mem::take(expired));
        }
        self.current_tenth += passed;
    }
}

const fn index(tenth: u64) -> usize {
    (tenth % BUCKETS as u64) as usize
}
