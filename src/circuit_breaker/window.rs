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
    /// The number of the piece that is counted now.
    bucket: u64,
    calls: [u32; BUCKETS],
    failures: [u32; BUCKETS],
}

impl Window {
    /// Forgets what is too old, and gives the time until which there is nothing more to forget. `width` is that of a piece, and
    /// the same each time. A clock that goes back stays where it was.
    pub(super) fn slide(&mut self, now: Duration, width: Duration) -> Duration {
        let width = width.as_nanos().max(1);
        let bucket = u64::try_from(now.as_nanos() / width).unwrap_or(u64::MAX);
        let passed = bucket.saturating_sub(self.bucket);
        // Further than the length there is nothing left to forget.
        for step in 1..=passed.min(BUCKETS as u64) {
            let gone = place(self.bucket + step);
            self.calls[gone] = 0;
            self.failures[gone] = 0;
        }
        self.bucket += passed;
        let end = u128::from(self.bucket).saturating_add(1).saturating_mul(width);
        let seconds = u64::try_from(end / NANOS).unwrap_or(u64::MAX);
        Duration::new(seconds, (end % NANOS) as u32)
    }

    /// Counts results in the piece that it was slid to. What is full stays full.
    pub(super) const fn record(&mut self, calls: u32, failures: u32) {
        let at = place(self.bucket);
        self.calls[at] = self.calls[at].saturating_add(calls);
        self.failures[at] = self.failures[at].saturating_add(failures);
    }

    pub(super) fn counts(&self) -> Counts {
        let sum = |counts: &[u32]| counts.iter().copied().map(u64::from).sum();
        Counts { calls: sum(&self.calls), failures: sum(&self.failures) }
    }
}

/// In a second.
const NANOS: u128 = 1_000_000_000;

const fn place(bucket: u64) -> usize {
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
            assert_eq!(Window::default().slide(now, width), end, "{width:?} at {now:?}");
        }
    }
}
