//! Counts of recent calls and failures. Pure: the caller passes the time, counted from a fixed moment.

use std::time::Duration;

/// The number of buckets of a window. The oldest is dropped when a new one starts.
pub(super) const BUCKETS: usize = 10;

/// Results of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) calls: u64,
    pub(super) failures: u64,
}

/// The results of the last nine to ten buckets of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    /// The number of the current bucket.
    bucket: u64,
    /// The end of the current bucket. A result before it needs no division to find its bucket.
    end: Duration,
    calls: [u32; BUCKETS],
    failures: [u32; BUCKETS],
}

impl Window {
    /// Adds a result to the bucket of `now`. `width` is the length of a bucket, and the same at every call. A time before the
    /// current bucket counts in the current bucket. A full bucket stays full.
    pub(super) fn record(&mut self, now: Duration, width: Duration, failed: bool) {
        self.slide(now, width);
        let at = index(self.bucket);
        self.calls[at] = self.calls[at].saturating_add(1);
        self.failures[at] = self.failures[at].saturating_add(failed.into());
    }

    /// Returns the sum of the buckets.
    pub(super) fn counts(&mut self, now: Duration, width: Duration) -> Counts {
        self.slide(now, width);
        let sum = |counts: &[u32]| counts.iter().copied().map(u64::from).sum();
        Counts { calls: sum(&self.calls), failures: sum(&self.failures) }
    }

    /// Makes the bucket of `now` the current one, and drops those that are too old.
    fn slide(&mut self, now: Duration, width: Duration) {
        if now < self.end {
            return;
        }
        let width = width.as_nanos().max(1);
        let bucket = u64::try_from(now.as_nanos() / width).unwrap_or(u64::MAX);
        let passed = bucket.saturating_sub(self.bucket);
        // After a whole window there is nothing left to drop.
        for step in 1..=passed.min(BUCKETS as u64) {
            let dropped = index(self.bucket + step);
            self.calls[dropped] = 0;
            self.failures[dropped] = 0;
        }
        self.bucket += passed;
        self.end = end(self.bucket, width);
    }
}

fn end(bucket: u64, width: u128) -> Duration {
    let end = u128::from(bucket).saturating_add(1).saturating_mul(width);
    let seconds = u64::try_from(end / NANOS_PER_SEC).unwrap_or(u64::MAX);
    Duration::new(seconds, (end % NANOS_PER_SEC) as u32)
}

const NANOS_PER_SEC: u128 = 1_000_000_000;

const fn index(bucket: u64) -> usize {
    (bucket % BUCKETS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of them would be walked at a call, under a lock.
    #[test]
    fn no_work_grows_with_the_calls_in_a_window_since_it_owns_no_memory_to_list_them_in() {
        assert!(!std::mem::needs_drop::<Window>());
    }

    #[test]
    fn a_piece_ends_at_the_very_moment_at_which_the_next_begins() {
        let ms = Duration::from_millis;
        for (width, now, end) in [
            (ms(1_000), ms(0), ms(1_000)),
            (ms(1_000), ms(1_999), ms(2_000)),
            (ms(1_000), ms(2_000), ms(3_000)),
            (ms(300), ms(650), ms(900)),
            (ms(300), ms(900), ms(1_200)),
        ] {
            let mut window = Window::default();
            window.slide(now, width);
            assert_eq!(window.end, end, "{width:?} at {now:?}");
        }
    }
}
