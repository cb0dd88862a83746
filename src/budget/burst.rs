//! The limit on retries within one second.

use std::time::Duration;

/// The number of buckets, each a tenth of a second. The current bucket and the ten before it cover
/// more than a second, so slightly fewer retries are allowed.
const BUCKETS: usize = 11;

/// The number of retries allowed in any second, regardless of the number of calls. If all
/// connections in a pool fail at the same time, all their requests can then be retried at once.
const MIN_BURST: u64 = 10;

/// The retries of the last second.
#[derive(Debug, Default)]
pub(super) struct BurstLimit {
    /// The current tenth of a second, in tenths since `elapsed` was zero.
    current_tenth: u64,
    /// The retries in each tenth of a second. The index is the tenth modulo the length.
    retries: [u32; BUCKETS],
    sum: u64,
}

impl BurstLimit {
    /// Returns whether another retry is allowed, if `max` retries are allowed in any second.
    ///
    /// `elapsed` is the time since a fixed instant. The window does not move back if `elapsed`
    /// decreases.
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
        // No more steps are needed: every bucket is then empty.
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
