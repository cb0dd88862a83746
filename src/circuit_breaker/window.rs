//! How many calls there were of late, and how many of them failed. Pure: time is handed in, counted from any fixed moment.

use std::time::Duration;

/// The window is cut into so many pieces of time; the oldest leaves as a new one begins.
pub(super) const BUCKETS: usize = 10;

/// Results of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) calls: u64,
    pub(super) failures: u64,
}

/// Results of the last nine to ten pieces of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    /// The number of the piece that is counted now, its place, and when it ends.
    bucket: u64,
    at: usize,
    until: Duration,
    calls: [u32; BUCKETS],
    failures: [u32; BUCKETS],
    sum: Counts,
}

impl Window {
    /// Forgets what is too old. `width` is that of a piece, and the same each time. A clock that goes back stays where it
    /// was.
    pub(super) fn slide(&mut self, now: Duration, width: Duration) {
        if now >= self.until {
            self.pass(now, width);
        }
    }

    /// Until when there is nothing to forget.
    pub(super) const fn until(&self) -> Duration {
        self.until
    }

    /// Counts a result in the piece that it was slid to.
    #[inline]
    pub(super) fn record(&mut self, failed: bool) {
        let at = self.at;
        // What is full stays full.
        let Some(calls) = self.calls[at].checked_add(1) else { return };
        self.calls[at] = calls;
        self.sum.calls += 1;
        if failed {
            self.failures[at] += 1;
            self.sum.failures += 1;
        }
    }

    pub(super) const fn counts(&self) -> Counts {
        self.sum
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn pass(&mut self, now: Duration, width: Duration) {
        let width = width.as_nanos().max(1);
        let bucket = u64::try_from(now.as_nanos() / width).unwrap_or(u64::MAX);
        let passed = bucket.saturating_sub(self.bucket);
        // Further than the length there is nothing left to forget.
        for step in 1..=passed.min(BUCKETS as u64) {
            let gone = place(self.bucket + step);
            self.sum.calls -= u64::from(std::mem::take(&mut self.calls[gone]));
            self.sum.failures -= u64::from(std::mem::take(&mut self.failures[gone]));
        }
        self.bucket += passed;
        self.at = place(self.bucket);
        let end = u128::from(self.bucket).saturating_add(1).saturating_mul(width);
        let seconds = u64::try_from(end / NANOS).unwrap_or(u64::MAX);
        self.until = Duration::new(seconds, (end % NANOS) as u32);
    }
}

/// In a second.
const NANOS: u128 = 1_000_000_000;

const fn place(bucket: u64) -> usize {
    (bucket % BUCKETS as u64) as usize
}
