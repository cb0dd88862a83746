//! How many retries there may be in a single second.

use std::time::Duration;

/// Time is cut into tenths of a second. The tenth of now and the ten before: more than a second, which errs towards fewer.
const TENTHS: usize = 11;

/// So many may be in any second, however few calls there are: what fails at once, such as the connections of a pool, can be tried
/// again at once.
const MIN_BURST: u64 = 10;

/// The retries of the last second.
#[derive(Debug, Default)]
pub(super) struct BurstLimit {
    tenth: u64,
    taken: [u32; TENTHS],
    sum: u64,
}

impl BurstLimit {
    /// Whether one more may be now, if `allowed` may be in any second. `since` any fixed moment; if it goes back, it stays
    /// where it was.
    pub(super) fn is_within(&mut self, allowed: u64, since: Duration) -> bool {
        self.slide(u64::try_from(since.as_millis() / 100).unwrap_or(u64::MAX));
        self.sum < allowed.max(MIN_BURST)
    }

    /// Counts one more, now.
    pub(super) fn take(&mut self) {
        let taken = &mut self.taken[index(self.tenth)];
        if let Some(more) = taken.checked_add(1) {
            *taken = more;
            self.sum += 1;
        }
    }

    fn slide(&mut self, tenth: u64) {
        let passed = tenth.saturating_sub(self.tenth);
        // Further than the length there is nothing left to forget.
        for step in 1..=passed.min(TENTHS as u64) {
            self.sum -= u64::from(std::mem::take(&mut self.taken[index(self.tenth + step)]));
        }
        self.tenth += passed;
    }
}

const fn index(tenth: u64) -> usize {
    (tenth % TENTHS as u64) as usize
}
