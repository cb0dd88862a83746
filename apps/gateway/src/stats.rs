//! What became of an upstream's calls of late. Bounded: five minutes of seconds, and a few lines of failures.

use std::{
    collections::VecDeque,
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use seawall::{Failure, retry::StopReason};
use tokio::time::Instant;

/// How far back the counts go, in seconds.
pub(crate) const SECONDS: usize = 300;

/// How many lines of failures are kept of each upstream.
const LINES: usize = 12;

/// Failures alike that follow each other within this time are one line.
const ALIKE: Duration = Duration::from_secs(60);

/// What became of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    Succeeded,
    /// It succeeded after a retry.
    Mended(Failed),
    Failed(Failed),
    /// An open circuit kept it from the upstream.
    Refused,
}

/// A failure, and what was done about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed {
    pub(crate) failure: Failure,
    /// What the classifier recognised, if anything.
    pub(crate) note: Option<&'static str>,
    pub(crate) attempts: NonZeroU32,
    /// Why it was not tried again, if that was to be decided.
    pub(crate) stop: Option<StopReason>,
}

/// How many calls ended how: succeeded, mended, failed, refused.
pub(crate) type Counts = [u32; 4];

/// Failures alike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// The last of them.
    pub(crate) failed: Failed,
    pub(crate) mended: bool,
    pub(crate) count: u64,
    pub(crate) first: Instant,
    pub(crate) last: Instant,
}

#[derive(Debug)]
pub(crate) struct Stats {
    origin: Instant,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// The second that `counts` ends with.
    now: u64,
    /// By the second, modulo their number.
    counts: [Counts; SECONDS],
    /// In the order in which they began.
    lines: VecDeque<Line>,
}

impl Default for Stats {
    fn default() -> Self {
        let kept = Kept { now: 0, counts: [[0; 4]; SECONDS], lines: VecDeque::new() };
        Self { origin: Instant::now(), kept: Mutex::new(kept) }
    }
}

impl Stats {
    pub(crate) fn count(&self, outcome: Outcome) {
        let (kind, failed) = match outcome {
            Outcome::Succeeded => (0, None),
            Outcome::Mended(failed) => (1, Some((failed, true))),
            Outcome::Failed(failed) => (2, Some((failed, false))),
            Outcome::Refused => (3, None),
        };
        let mut kept = self.kept();
        let at = kept.now as usize % SECONDS;
        kept.counts[at][kind] = kept.counts[at][kind].saturating_add(1);
        if let Some((failed, mended)) = failed {
            kept.tell(failed, mended);
        }
    }

    /// The counts in slots of so many seconds, which divide both a minute and the whole; the last slot has only begun.
    pub(crate) fn slots(&self, seconds: usize) -> Vec<Counts> {
        let kept = self.kept();
        let slot = kept.now / seconds as u64;
        let slots = (SECONDS / seconds) as u64;
        // A second before the first one, or one that is no longer kept, counts nothing.
        (0..slots)
            .map(|back| {
                let first = (slot + 1 + back).checked_sub(slots).map(|slot| slot * seconds as u64);
                first.map_or([0; 4], |first| kept.sum(first, seconds as u64))
            })
            .collect()
    }

    /// The counts of the last minute.
    pub(crate) fn minute(&self) -> Counts {
        let kept = self.kept();
        let first = (kept.now + 1).saturating_sub(60);
        kept.sum(first, kept.now + 1 - first)
    }

    /// The failures, those that began first first.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.kept().lines.iter().copied().collect()
    }

    /// Forgets the counts, not the failures.
    pub(crate) fn forget_counts(&self) {
        self.kept().counts = [[0; 4]; SECONDS];
    }

    /// As of this second.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.turn_to(self.origin.elapsed().as_secs());
        kept
    }
}

impl Kept {
    fn turn_to(&mut self, now: u64) {
        let passed = now.saturating_sub(self.now).min(SECONDS as u64);
        self.now = self.now.max(now);
        for back in 0..passed {
            self.counts[(self.now - back) as usize % SECONDS] = [0; 4];
        }
    }

    fn sum(&self, first: u64, seconds: u64) -> Counts {
        let mut sum = [0; 4];
        for second in first..(first + seconds).min(self.now + 1) {
            let counts = self.counts[second as usize % SECONDS];
            for (sum, count) in sum.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        sum
    }

    fn tell(&mut self, failed: Failed, mended: bool) {
        let now = Instant::now();
        let alike = self.lines.iter_mut().rev().find(|line| {
            let (old, new) = (&line.failed.failure, &failed.failure);
            line.mended == mended
                && old.cause() == new.cause()
                && old.reporter() == new.reporter()
                && old.status() == new.status()
                && now - line.last < ALIKE
        });
        if let Some(line) = alike {
            // Not every one of them comes with its response.
            line.failed = Failed { note: failed.note.or(line.failed.note), ..failed };
            line.count += 1;
            line.last = now;
            return;
        }
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(Line { failed, mended, count: 1, first: now, last: now });
    }
}

#[cfg(test)]
mod tests {
    use seawall::Cause;

    use super::*;

    fn failed(cause: Cause) -> Failed {
        let failure = Failure::new(cause);
        Failed { failure, note: None, attempts: NonZeroU32::MIN, stop: None }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_older_than_five_minutes_is_forgotten() {
        let stats = Stats::default();
        for _ in 0..3 {
            stats.count(Outcome::Succeeded);
        }
        tokio::time::advance(Duration::from_secs(59)).await;
        stats.count(Outcome::Refused);
        assert_eq!(stats.minute(), [3, 0, 0, 1]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(stats.minute(), [0, 0, 0, 1]);
        let slots = stats.slots(5);
        assert_eq!((slots.len(), slots[47], slots[58]), (60, [3, 0, 0, 0], [0, 0, 0, 1]));
        tokio::time::advance(Duration::from_secs(240)).await;
        assert_eq!(stats.slots(5)[10], [0, 0, 0, 1]);
        tokio::time::advance(Duration::from_secs(86_400)).await;
        assert!(stats.slots(5).iter().all(|slot| *slot == [0; 4]));
    }

    #[tokio::test(start_paused = true)]
    async fn failures_alike_are_one_line_and_lines_are_bounded() {
        let stats = Stats::default();
        for _ in 0..1_000 {
            stats.count(Outcome::Failed(failed(Cause::BadGateway)));
            stats.count(Outcome::Mended(failed(Cause::BadGateway)));
        }
        let lines = stats.lines();
        assert_eq!(
            lines.iter().map(|line| (line.mended, line.count)).collect::<Vec<_>>(),
            [(false, 1_000), (true, 1_000)]
        );
        for cause in Cause::ALL {
            stats.count(Outcome::Failed(failed(*cause)));
        }
        let lines = stats.lines();
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines[LINES - 1].failed.failure.cause(), *Cause::ALL.last().unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_that_comes_back_after_a_minute_is_a_new_line() {
        let stats = Stats::default();
        stats.count(Outcome::Failed(failed(Cause::BadGateway)));
        tokio::time::advance(ALIKE).await;
        stats.count(Outcome::Failed(failed(Cause::BadGateway)));
        assert_eq!(stats.lines().len(), 2);
    }
}
