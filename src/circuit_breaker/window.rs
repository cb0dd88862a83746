//! Counts of recent calls and failures. Pure: the caller passes the time.

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
    /// The end of the current bucket. `None` if the clock never reaches it.
    end: Option<Instant>,
    /// The index of the current bucket.
    current: usize,
    calls: [u32; BUCKETS],
    failures: [u32; BUCKETS],
}

impl Window {
    /// Returns an empty window. Its first bucket starts at `origin` and lasts for `bucket_width`.
    pub(super) fn new(origin: Instant, bucket_width: Duration) -> Self {
        let end = origin.checked_add(bucket_width);
        Self { end, current: 0, calls: [0; BUCKETS], failures: [0; BUCKETS] }
    }

    /// Adds a success to the bucket of `now`. A time before the current bucket counts in the
    /// current bucket.
    ///
    /// A count that reaches its maximum stays there. `bucket_width` must be that of the window.
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

    /// Returns the sum of the buckets.
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

    /// Makes the bucket of `now` the current one, and clears those that are too old.
    fn slide(&mut self, now: Instant, bucket_width: Duration) {
        let Some(end) = self.end.filter(|end| now >= *end) else { return };
        let since_end = now.saturating_duration_since(end).as_nanos();
        let bucket_width = bucket_width.as_nanos().max(1);
        // After a whole window, all buckets are cleared.
        let passed = (since_end / bucket_width).saturating_add(1).min(BUCKETS as u128);
        for _ in 0..passed {
            self.current = (self.current + 1) % BUCKETS;
            self.calls[self.current] = 0;
            self.failures[self.current] = 0;
        }
        self.end = now.checked_add(duration(bucket_width - since_end % bucket_width));
    }
}

fn duration(nanos: u128) -> Duration {
    const PER_SEC: u128 = 1_000_000_000;

    let secs = u64::try_from(nanos / PER_SEC).unwrap_or(u64::MAX);
    Duration::new(secs, (nanos % PER_SEC) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of calls would have to be traversed at a call, under a lock.
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
            let origin = Instant::now();
            let mut window = Window::new(origin, bucket_width);
            window.slide(origin + now, bucket_width);
            assert_eq!(window.end, Some(origin + end), "{bucket_width:?} at {now:?}");
        }
    }
}
