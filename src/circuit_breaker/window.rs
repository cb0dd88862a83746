//! Counts of recent calls and failures. This module reads no clock: the caller passes the time.

use std::time::Duration;

use tokio::time::Instant;

/// The number of buckets of a window. The oldest is cleared when a new one starts.
pub(super) const BUCKETS: usize = 10;

/// The number of calls with a result, and how many of them failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) calls: u64,
    pub(super) failures: u64,
}

/// The results of the last nine to ten bucket widths.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// The end of the current bucket. `None` if the clock cannot represent it.
    bucket_end: Option<Instant>,
    /// The index of the current bucket.
    current: usize,
    calls: [u32; BUCKETS],
    failures: [u32; BUCKETS],
}

impl Window {
    /// Returns an empty window. Its first bucket starts at `start` and lasts for `bucket_width`.
    pub(super) fn new(start: Instant, bucket_width: Duration) -> Self {
        let bucket_end = start.checked_add(bucket_width);
        Self { bucket_end, current: 0, calls: [0; BUCKETS], failures: [0; BUCKETS] }
    }

    /// Adds a success to the bucket of `now`. If `now` is before the current bucket, the success
    /// counts in the current bucket.
    ///
    /// Counts saturate. `bucket_width` must be the one passed to [`new`](Self::new).
    pub(super) fn record_success(&mut self, now: Instant, bucket_width: Duration) {
        self.slide(now, bucket_width);
        let calls = &mut self.calls[self.current];
        *calls = calls.saturating_add(1);
    }

    /// Adds a failure, as [`record_success`](Self::record_success) adds a success.
    pub(super) fn record_failure(&mut self, now: Instant, bucket_width: Duration) {
        self.record_success(now, bucket_width);
        let failures = &mut self.failures[self.current];
        *failures = failures.saturating_add(1);
    }

    /// Returns the counts of all buckets together.
    pub(super) fn counts(&mut self, now: Instant, bucket_width: Duration) -> Counts {
        self.slide(now, bucket_width);
        let sum = |counts: &[u32]| counts.iter().copied().map(u64::from).sum();
        Counts { calls: sum(&self.calls), failures: sum(&self.failures) }
    }

    /// Drops all results.
    pub(super) fn clear(&mut self) {
        self.calls = [0; BUCKETS];
        self.failures = [0; BUCKETS];
    }

    /// Makes the bucket of `now` the current bucket, and clears the buckets that are too old.
    fn slide(&mut self, now: Instant, bucket_width: Duration) {
        let Some(end) = self.bucket_end.filter(|end| now >= *end) else { return };
        let since_end = now.saturating_duration_since(end).as_nanos();
        let bucket_width = bucket_width.as_nanos().max(1);
        // No more steps are needed: all buckets are then clear.
        let steps = (since_end / bucket_width).saturating_add(1).min(BUCKETS as u128);
        for _ in 0..steps {
            self.current = (self.current + 1) % BUCKETS;
            self.calls[self.current] = 0;
            self.failures[self.current] = 0;
        }
        self.bucket_end =
            now.checked_add(duration_from_nanos(bucket_width - since_end % bucket_width));
    }
}

fn duration_from_nanos(nanos: u128) -> Duration {
    const PER_SEC: u128 = 1_000_000_000;

    let secs = u64::try_from(nanos / PER_SEC).unwrap_or(u64::MAX);
    Duration::new(secs, (nanos % PER_SEC) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Removing old results from a list would take time under a lock.
    #[test]
    fn window_has_constant_size() {
        assert!(!std::mem::needs_drop::<Window>());
    }

    #[test]
    fn bucket_ends_when_next_one_starts() {
        let ms = Duration::from_millis;
        for (bucket_width, now, end) in [
            (ms(1_000), ms(0), ms(1_000)),
            (ms(1_000), ms(1_999), ms(2_000)),
            (ms(1_000), ms(2_000), ms(3_000)),
            (ms(300), ms(650), ms(900)),
            (ms(300), ms(900), ms(1_200)),
        ] {
            let start = Instant::now();
            let mut window = Window::new(start, bucket_width);
            window.slide(start + now, bucket_width);
            assert_eq!(window.bucket_end, Some(start + end), "{bucket_width:?} at {now:?}");
        }
    }
}
