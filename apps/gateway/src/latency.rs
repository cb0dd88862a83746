//! Percentiles of the latency in the last minute.

use std::time::Duration;

/// The number of buckets for each doubling of the latency. The width of a bucket is 19 %.
const BUCKETS_PER_DOUBLING: f64 = 4.0;

/// The last bucket starts at about 16 minutes.
const BUCKETS: usize = 120;

/// The width of a slot, in seconds.
const SLOT_SECONDS: u64 = 10;

const SLOTS: usize = 6;

/// The latencies of the last 50 to 60 seconds, in buckets.
#[derive(Debug)]
pub(crate) struct LatencyWindow {
    /// The number of the latest slot since the start.
    current_slot: u64,
    /// The counts of each slot, indexed by its number modulo the length.
    slots: [[u32; BUCKETS]; SLOTS],
}

impl Default for LatencyWindow {
    fn default() -> Self {
        Self { current_slot: 0, slots: [[0; BUCKETS]; SLOTS] }
    }
}

impl LatencyWindow {
    /// Counts a latency. `second` is the time since the start.
    pub(crate) fn record(&mut self, second: u64, latency: Duration) {
        self.advance_to(second);
        let bucket = (micros(latency).log2() * BUCKETS_PER_DOUBLING) as usize;
        let slot = &mut self.slots[self.current_slot as usize % SLOTS];
        let count = &mut slot[bucket.min(BUCKETS - 1)];
        *count = count.saturating_add(1);
    }

    /// Returns percentiles, such as p95 for 0.95. `None` if there was no call.
    pub(crate) fn percentiles<const N: usize>(
        &mut self,
        second: u64,
        ratios: [f64; N],
    ) -> Option<[Duration; N]> {
        self.advance_to(second);
        let count = |bucket: usize| self.slots.iter().map(|slot| u64::from(slot[bucket])).sum();
        let counts: Vec<u64> = (0..BUCKETS).map(count).collect();
        let total: u64 = counts.iter().sum();
        let percentile = |ratio: f64| {
            let rank = ((total as f64 * ratio).ceil() as u64).max(1);
            let mut below = 0;
            let bucket = counts.iter().position(|count| {
                below += count;
                below >= rank
            });
            // The middle of the bucket.
            let exponent = (bucket.unwrap_or_default() as f64 + 0.5) / BUCKETS_PER_DOUBLING;
            Duration::from_secs_f64(exponent.exp2() / 1e6)
        };
        (total > 0).then(|| ratios.map(percentile))
    }

    /// Clears the slots since the last call.
    fn advance_to(&mut self, second: u64) {
        let slot = second / SLOT_SECONDS;
        let elapsed = slot.saturating_sub(self.current_slot).min(SLOTS as u64);
        self.current_slot = self.current_slot.max(slot);
        for age in 0..elapsed {
            self.slots[(self.current_slot - age) as usize % SLOTS] = [0; BUCKETS];
        }
    }
}

/// Returns a number of at least 1.
fn micros(latency: Duration) -> f64 {
    (latency.as_secs_f64() * 1e6).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_a_tenth_and_forgotten_after_a_minute() {
        let mut window = LatencyWindow::default();
        assert_eq!(window.percentiles(0, [0.5]), None);
        for millis in 1..=100 {
            window.record(3, Duration::from_millis(millis));
        }
        let [p50, p95] = window.percentiles(52, [0.5, 0.95]).unwrap().map(|it| it.as_secs_f64());
        assert!((0.045..0.055).contains(&p50), "{p50}");
        assert!((0.0855..0.1045).contains(&p95), "{p95}");
        assert_eq!(window.percentiles(60, [0.5]), None);
    }

    #[test]
    fn extreme_latencies_are_counted() {
        let mut window = LatencyWindow::default();
        window.record(0, Duration::ZERO);
        window.record(0, Duration::MAX);
        let [min, max] = window.percentiles(0, [0.01, 1.0]).unwrap();
        assert!(min < Duration::from_micros(2) && max > Duration::from_secs(900));
    }
}
