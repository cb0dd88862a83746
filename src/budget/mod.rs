//! How many retries all calls together may have.

mod burst;
mod counts;
mod per_key;

use std::{fmt, sync::Arc, time::Duration};

use seawall_core::Ratio;
use tokio::time::Instant;

pub(crate) use self::per_key::BudgetScope;
use self::{burst::BurstLimit, counts::Counts};

/// Limits the retries of many calls together, so that retrying cannot multiply an outage.
///
/// A retry is allowed while the retries of the last 10 seconds are fewer than a share of the calls of the last
/// 10 seconds, 20 % by default, or fewer than 3, so that a quiet client can retry at all. Every retry is charged,
/// whatever it is for and however it ends. When nothing is left, the failed response or error is returned as it is.
///
/// In any one second there are no more than the same share of the calls of the busiest of the last ten, or 10 if that is
/// more: ten seconds' worth of retries would else be spent in the first second of an outage, which is three times the usual
/// load at the worst moment.
///
/// Clones share what is left, and so do all services of one layer and their clones; give two layers the same budget to
/// make them share. Concurrent callers cannot overdraw it.
///
/// ```
/// use seawall::{retry::{Budget, RetryLayer}, Ratio};
///
/// let layer = RetryLayer::new().budget(Budget::new(Ratio::percent(10), 5));
/// let unlimited = RetryLayer::new().budget(Budget::none());
/// # let _ = (layer, unlimited);
/// ```
///
/// Time is cut into seconds, not into single moments: a retry counts for 10 to 11 s, a call for 9 to 10. That errs
/// towards fewer retries.
#[derive(Clone)]
pub struct Budget {
    /// `None`: unlimited.
    counts: Option<Arc<Counts>>,
    limit: BudgetLimit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BudgetLimit {
    ratio: Ratio,
    min: u32,
}

impl Budget {
    /// Allows as many retries as `ratio` of the calls of the last 10 seconds, or `min` if that is more.
    #[must_use]
    pub fn new(ratio: Ratio, min: u32) -> Self {
        Self { counts: Some(Arc::default()), limit: BudgetLimit { ratio, min } }
    }

    /// Allows any number of retries. An upstream that fails then gets every retry of every call.
    #[must_use]
    pub fn none() -> Self {
        Self { counts: None, ..Self::default() }
    }

    /// Another of the same limits, unspent.
    fn clone_empty(&self) -> Self {
        Self { counts: self.counts.as_ref().map(|_| Arc::default()), limit: self.limit }
    }

    /// Whether nothing happened within the window.
    fn is_idle(&self, now: Instant) -> bool {
        self.counts.as_ref().is_none_or(|counts| counts.window(now).is_idle(now))
    }

    /// Counts a call.
    pub(crate) fn deposit(&self, now: Instant) {
        if let Some(counts) = &self.counts {
            counts.deposit(now);
        }
    }

    /// Takes a retry, if there is one.
    pub(crate) fn withdraw(&self, now: impl FnOnce() -> Instant) -> bool {
        let Some(counts) = &self.counts else { return true };
        let now = now();
        counts.window(now).withdraw(now, self.limit)
    }
}

impl Budget {
    /// The part of the retries now allowed that is taken; `None`: there is no limit.
    pub(crate) fn spent(&self, now: Instant) -> Option<f64> {
        let (taken, allowed) = self.counts.as_ref()?.window(now).spent(now, self.limit);
        Some(if allowed == 0 { 1.0 } else { (taken as f64 / allowed as f64).min(1.0) })
    }
}

impl Default for Budget {
    /// 20 % of the calls, or 3 retries in any 10 seconds if that is more.
    fn default() -> Self {
        Self::new(Ratio::percent(20), 3)
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.counts {
            Some(_) => f.debug_tuple("Budget").field(&self.limit).finish(),
            None => f.write_str("Budget::none"),
        }
    }
}

const SECONDS: usize = 11;

/// Calls and retries of the last seconds, this one included: retries of 11, so of more than 10 s; calls of 10, so of
/// no more than 10 s. That errs towards fewer retries.
#[derive(Debug, Default)]
struct Window {
    started: Option<Instant>,
    /// The second that is counted now, since `started`.
    second: u64,
    /// When that second ends.
    until: Option<Instant>,
    /// By second, modulo the length.
    calls: [u32; SECONDS],
    retries: [u32; SECONDS],
    sum_of_calls: u64,
    sum_of_retries: u64,
    pace: BurstLimit,
}

impl Window {
    /// Adds the calls of a second, unless that is too long ago.
    fn add(&mut self, second: u64, calls: u32) {
        if self.second.saturating_sub(second) < SECONDS as u64 - 1 {
            let count = &mut self.calls[index(second)];
            let added = calls.min(u32::MAX - *count);
            *count += added;
            self.sum_of_calls += u64::from(added);
        }
    }

    fn allowed(&self, limit: BudgetLimit) -> u64 {
        limit.ratio.of(self.sum_of_calls).max(limit.min.into())
    }

    fn spent(&mut self, now: Instant, limit: BudgetLimit) -> (u64, u64) {
        self.slide(now);
        (self.sum_of_retries, self.allowed(limit))
    }

    fn withdraw(&mut self, now: Instant, limit: BudgetLimit) -> bool {
        let at = self.slide(now);
        let allowed = self.allowed(limit);
        let since = now.saturating_duration_since(self.started.unwrap_or(now));
        let is_within = self.sum_of_retries < allowed
            && self.pace.is_within(limit.ratio.of(self.busiest()), since);
        let more = self.retries[at].checked_add(1).filter(|_| is_within);
        if let Some(more) = more {
            self.pace.take();
            self.retries[at] = more;
            self.sum_of_retries += 1;
        }
        more.is_some()
    }

    /// Calls of the second that had the most.
    fn busiest(&self) -> u64 {
        self.calls.iter().copied().max().unwrap_or_default().into()
    }

    fn is_idle(&mut self, now: Instant) -> bool {
        self.slide(now);
        self.sum_of_calls == 0 && self.sum_of_retries == 0
    }

    /// Forgets seconds that are too old, and returns the index of the present one. A clock that goes back stays where it was.
    fn slide(&mut self, now: Instant) -> usize {
        let started = *self.started.get_or_insert(now);
        let second = now.saturating_duration_since(started).as_secs();
        let passed = second.saturating_sub(self.second);
        // Further than the length there is nothing left to forget.
        for step in 1..=passed.min(SECONDS as u64) {
            self.begin(self.second + step);
        }
        self.second += passed;
        self.until = started.checked_add(Duration::from_secs(self.second + 1));
        index(self.second)
    }

    /// Makes room for a second: the oldest retries leave, and so do the calls of the second after, which is 10 back.
    fn begin(&mut self, second: u64) {
        let oldest = index(second);
        self.sum_of_retries -= u64::from(std::mem::take(&mut self.retries[oldest]));
        let next_oldest = index(second + 1);
        self.sum_of_calls -= u64::from(std::mem::take(&mut self.calls[next_oldest]));
    }
}

const fn index(second: u64) -> usize {
    (second % SECONDS as u64) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{counts::STRIPES, *};

    /// What happened when, in full.
    #[derive(Default)]
    struct Naive {
        calls: Vec<Instant>,
        retries: Vec<Instant>,
    }

    impl Naive {
        fn within(events: &[Instant], now: Instant, last: Duration) -> u64 {
            events.iter().filter(|&&at| now.duration_since(at) < last).count() as u64
        }

        /// Counted by whole seconds since `started`, as documented.
        fn by_seconds(events: &[Instant], started: Instant, now: Instant, seconds: u64) -> u64 {
            let second = |at: Instant| at.duration_since(started).as_secs();
            events.iter().filter(|&&at| second(at) + seconds > second(now)).count() as u64
        }
    }

    impl Naive {
        fn by_tenths(events: &[Instant], started: Instant, now: Instant, tenths: u128) -> u64 {
            let tenth = |at: Instant| at.duration_since(started).as_millis() / 100;
            events.iter().filter(|&&at| tenth(at) + tenths > tenth(now)).count() as u64
        }

        /// Calls of the busiest of the last ten seconds.
        fn busiest(events: &[Instant], started: Instant, now: Instant) -> u64 {
            let of = |seconds| Self::by_seconds(events, started, now, seconds);
            (0..10).map(|seconds| of(seconds + 1) - of(seconds)).max().unwrap()
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_window_agrees_with_a_naive_one_and_never_exceeds_the_promise(
            steps in prop::collection::vec((0_u64..4_000, any::<bool>(), 0_u64..400, 0..STRIPES), 1..400),
            millionths in 0_u32..=1_000_000,
            min in 0_u32..5,
        ) {
            let ratio = Ratio::new(f64::from(millionths) / 1e6).unwrap();
            let limit = BudgetLimit { ratio, min };
            let (counts, mut naive) = (Counts::default(), Naive::default());
            let mut now = Instant::now();
            for (ms, retry, rarely, stripe) in steps {
                // Mostly small steps; now and then one beyond the whole window.
                now += Duration::from_millis(match rarely {
                    0 => ms * 10,
                    1..200 => ms / 500,
                    _ => ms / 8,
                });
                let Some(&started) = naive.calls.first().filter(|_| retry) else {
                    counts.deposit_in(stripe, now);
                    naive.calls.push(now);
                    continue;
                };
                let calls = Naive::by_seconds(&naive.calls, started, now, 10);
                let retries = Naive::by_seconds(&naive.retries, started, now, 11);
                let allowed = ratio.of(calls).max(min.into());
                let of_late = Naive::by_tenths(&naive.retries, started, now, 11);
                let at_once = ratio.of(Naive::busiest(&naive.calls, started, now)).max(10);
                let taken = counts.window(now).withdraw(now, limit);
                prop_assert_eq!(taken, retries < allowed && of_late < at_once);
                if taken {
                    naive.retries.push(now);
                    let ten = Duration::from_secs(10);
                    let calls = Naive::within(&naive.calls, now, ten);
                    let retries = Naive::within(&naive.retries, now, ten);
                    prop_assert!(retries <= ratio.of(calls).max(min.into()));
                    let of_late = Naive::within(&naive.retries, now, Duration::from_secs(1));
                    prop_assert!(of_late <= at_once);
                }
            }
        }

        #[test]
        fn a_ratio_is_exact_at_any_percentage(percent in 0_u8..=100, calls in 0_u64..10_000_000) {
            prop_assert_eq!(Ratio::percent(percent).of(calls), calls * u64::from(percent) / 100);
        }
    }

    #[test]
    fn a_clock_that_goes_back_stays_where_it_was() {
        let late = Instant::now() + Duration::from_secs(100);
        let counts = Counts::default();
        counts.deposit(late);
        counts.deposit(late.checked_sub(Duration::from_secs(50)).unwrap());
        assert_eq!(counts.window(late).sum_of_calls, 2);
    }

    #[test]
    fn counts_that_are_full_stay_full() {
        let now = Instant::now();
        let counts = Counts::default();
        counts.deposit(now);
        counts.window(now).calls[0] = u32::MAX;
        counts.deposit(now);
        let window = counts.window(now);
        assert_eq!((window.calls[0], window.sum_of_calls), (u32::MAX, 1));
    }
}
