//! The limit on the retries of all calls together.

mod burst;
mod counts;
mod per_key;

use std::{fmt, sync::Arc, time::Duration};

use seawall_core::Ratio;
use tokio::time::Instant;

pub(crate) use self::per_key::BudgetScope;
use self::{burst::BurstLimit, counts::Counts};

/// A limit on the retries of many calls together, so that retries cannot multiply the load during
/// an outage.
///
/// In any 10 seconds, the number of retries is at most a ratio of the number of calls, 20 % by
/// default. A minimum, 3 by default, is always allowed, so that a client with few calls can retry.
/// Every retry is charged, regardless of its reason and result. When the budget is exhausted, the
/// failed response or error is returned.
///
/// In any single second, the number of retries is at most the same ratio of the calls in the
/// busiest of the last 10 seconds, or 10 if that is more. Otherwise, the first second of an outage
/// would use the retries of 10 seconds, which would triple the usual load at the worst moment.
///
/// Clones share the budget, as do all services of one layer and their clones. To share a budget
/// between two layers, set the same budget on both. Concurrent callers cannot overdraw it.
///
/// ```
/// use seawall::{retry::{Budget, RetryLayer}, Ratio};
///
/// let layer = RetryLayer::new().budget(Budget::new(Ratio::percent(10), 5));
/// let unlimited = RetryLayer::new().budget(Budget::none());
/// # let _ = (layer, unlimited);
/// ```
///
/// The window has a resolution of one second: a retry counts for 10 to 11 s, a call for 9 to 10 s.
/// Slightly fewer retries than the limit are therefore allowed.
#[derive(Clone)]
pub struct Budget {
    /// `None` if the budget is unlimited.
    counts: Option<Arc<Counts>>,
    limit: BudgetLimit,
    /// The key, if there is one budget per key. It labels metrics.
    key: Option<Arc<str>>,
}

/// The limit of a budget: `ratio` retries per call, or `min` retries if that is more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BudgetLimit {
    ratio: Ratio,
    min: u32,
}

impl Budget {
    /// Creates a budget that allows `ratio` retries per call of the last 10 seconds, or `min`
    /// retries if that is more.
    #[must_use]
    pub fn new(ratio: Ratio, min: u32) -> Self {
        Self { counts: Some(Arc::default()), limit: BudgetLimit { ratio, min }, key: None }
    }

    /// Creates an unlimited budget. A failing upstream then receives every retry of every call.
    #[must_use]
    pub fn none() -> Self {
        Self { counts: None, ..Self::default() }
    }

    /// Returns an unused budget with the same limit, for a key.
    fn unused_for(&self, key: Arc<str>) -> Self {
        let counts = self.counts.as_ref().map(|_| Arc::default());
        Self { counts, limit: self.limit, key: Some(key) }
    }

    /// Returns the key, if there is one budget per key.
    pub(crate) const fn key(&self) -> Option<&Arc<str>> {
        self.key.as_ref()
    }

    /// Returns the number of retries that are allowed if there are few calls.
    pub(crate) const fn min(&self) -> u32 {
        self.limit.min
    }

    /// Returns whether the window contains no call and no retry.
    fn is_idle(&self, now: Instant) -> bool {
        self.counts.as_ref().is_none_or(|counts| counts.window(now).is_idle(now))
    }

    /// Counts a call.
    pub(crate) fn deposit(&self, now: Instant) {
        if let Some(counts) = &self.counts {
            counts.deposit(now);
        }
    }

    /// Charges a retry if the budget allows one. Returns whether the retry is allowed.
    pub(crate) fn withdraw(&self, now: impl FnOnce() -> Instant) -> bool {
        let Some(counts) = &self.counts else { return true };
        let now = now();
        counts.window(now).withdraw(now, self.limit)
    }
}

impl Budget {
    /// Returns the ratio of used to allowed retries, from 0 to 1, or `None` if the budget is
    /// unlimited.
    ///
    /// With one [budget per key](crate::retry::RetryLayer::budget_per_key), it is that of the
    /// requests without a key.
    #[must_use]
    pub fn used_ratio(&self) -> Option<f64> {
        let now = Instant::now();
        let (used, allowed) = self.counts.as_ref()?.window(now).usage(now, self.limit);
        Some(if allowed == 0 { 1.0 } else { (used as f64 / allowed as f64).min(1.0) })
    }
}

impl Default for Budget {
    /// Returns a budget of 20 % of the calls, or 3 retries in any 10 seconds if that is more.
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

/// The number of buckets of one second.
const BUCKETS: usize = 11;

/// The calls and retries of the last seconds, including the current second.
///
/// It counts the retries of 11 seconds and the calls of 10 seconds. The current second is
/// incomplete, so the counts cover more than 10 s of retries and at most 10 s of calls.
#[derive(Debug, Default)]
struct Window {
    started: Option<Instant>,
    /// The current second, counted from `started`.
    current_second: u64,
    /// The end of the current second.
    second_end: Option<Instant>,
    /// The calls in each second. The index is the second modulo the length.
    calls: [u32; BUCKETS],
    /// The retries in each second, with the same index.
    retries: [u32; BUCKETS],
    sum_of_calls: u64,
    sum_of_retries: u64,
    burst: BurstLimit,
}

impl Window {
    /// Adds calls to a second, unless the window no longer contains that second.
    fn add_calls(&mut self, second: u64, calls: u32) {
        if self.current_second.saturating_sub(second) < BUCKETS as u64 - 1 {
            let count = &mut self.calls[index(second)];
            let added = calls.min(u32::MAX - *count);
            *count += added;
            self.sum_of_calls += u64::from(added);
        }
    }

    /// Returns the number of retries that the window allows.
    fn allowed(&self, limit: BudgetLimit) -> u64 {
        limit.ratio.of(self.sum_of_calls).max(limit.min.into())
    }

    /// Returns the number of retries made and the number allowed.
    fn usage(&mut self, now: Instant, limit: BudgetLimit) -> (u64, u64) {
        self.slide(now);
        (self.sum_of_retries, self.allowed(limit))
    }

    /// Charges a retry if `limit` allows one. Returns whether the retry is allowed.
    fn withdraw(&mut self, now: Instant, limit: BudgetLimit) -> bool {
        let current = self.slide(now);
        let allowed = self.allowed(limit);
        let elapsed = now.saturating_duration_since(self.started.unwrap_or(now));
        let is_allowed = self.sum_of_retries < allowed
            && self.burst.allows_retry(limit.ratio.of(self.max_calls_per_second()), elapsed);
        let incremented = self.retries[current].checked_add(1).filter(|_| is_allowed);
        if let Some(incremented) = incremented {
            self.burst.record_retry();
            self.retries[current] = incremented;
            self.sum_of_retries += 1;
        }
        incremented.is_some()
    }

    /// Returns the number of calls in the busiest second.
    fn max_calls_per_second(&self) -> u64 {
        self.calls.iter().copied().max().unwrap_or_default().into()
    }

    fn is_idle(&mut self, now: Instant) -> bool {
        self.slide(now);
        self.sum_of_calls == 0 && self.sum_of_retries == 0
    }

    /// Moves the window to `now` and returns the index of the current bucket. The window does not
    /// move back if `now` is earlier.
    fn slide(&mut self, now: Instant) -> usize {
        let started = *self.started.get_or_insert(now);
        let second = now.saturating_duration_since(started).as_secs();
        let passed = second.saturating_sub(self.current_second);
        // No more steps are needed: every bucket is then empty.
        for step in 1..=passed.min(BUCKETS as u64) {
            self.start_second(self.current_second + step);
        }
        self.current_second += passed;
        self.second_end = started.checked_add(Duration::from_secs(self.current_second + 1));
        index(self.current_second)
    }

    /// Clears the retries of the second 11 s before `second`, and the calls of the second 10 s
    /// before it.
    fn start_second(&mut self, second: u64) {
        let eleven_before = index(second);
        self.sum_of_retries -= u64::from(std::mem::take(&mut self.retries[eleven_before]));
        let ten_before = index(second + 1);
        self.sum_of_calls -= u64::from(std::mem::take(&mut self.calls[ten_before]));
    }
}

const fn index(second: u64) -> usize {
    (second % BUCKETS as u64) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{counts::STRIPES, *};

    /// A reference model that stores the time of every call and retry.
    #[derive(Default)]
    struct ReferenceWindow {
        calls: Vec<Instant>,
        retries: Vec<Instant>,
    }

    impl ReferenceWindow {
        /// Counts the events within exactly `period` before `now`.
        fn count_within(events: &[Instant], now: Instant, period: Duration) -> u64 {
            events.iter().filter(|&&at| now.duration_since(at) < period).count() as u64
        }

        /// Counts the events of the last `seconds`, in whole seconds since `started`.
        fn count_seconds(events: &[Instant], started: Instant, now: Instant, seconds: u64) -> u64 {
            let second = |at: Instant| at.duration_since(started).as_secs();
            events.iter().filter(|&&at| second(at) + seconds > second(now)).count() as u64
        }

        /// Counts the events of the last `tenths`, in whole tenths of a second since `started`.
        fn count_tenths(events: &[Instant], started: Instant, now: Instant, tenths: u128) -> u64 {
            let tenth = |at: Instant| at.duration_since(started).as_millis() / 100;
            events.iter().filter(|&&at| tenth(at) + tenths > tenth(now)).count() as u64
        }

        /// Returns the number of calls in the busiest of the last ten seconds.
        fn max_calls_per_second(calls: &[Instant], started: Instant, now: Instant) -> u64 {
            let count = |seconds| Self::count_seconds(calls, started, now, seconds);
            (0..10).map(|seconds| count(seconds + 1) - count(seconds)).max().unwrap()
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn window_agrees_with_reference_and_never_exceeds_limit(
            steps in prop::collection::vec(
                (0_u64..4_000, any::<bool>(), 0_u64..400, 0..STRIPES),
                1..400,
            ),
            millionths in 0_u32..=1_000_000,
            min in 0_u32..5,
        ) {
            let ratio = Ratio::new(f64::from(millionths) / 1e6).unwrap();
            let limit = BudgetLimit { ratio, min };
            let (counts, mut reference) = (Counts::default(), ReferenceWindow::default());
            let mut now = Instant::now();
            for (ms, is_retry, step_size, stripe) in steps {
                // Most steps are short. One in 400 can pass the whole window.
                now += Duration::from_millis(match step_size {
                    0 => ms * 10,
                    1..200 => ms / 500,
                    _ => ms / 8,
                });
                let Some(&started) = reference.calls.first().filter(|_| is_retry) else {
                    counts.deposit_in(stripe, now);
                    reference.calls.push(now);
                    continue;
                };
                let calls = ReferenceWindow::count_seconds(&reference.calls, started, now, 10);
                let retries = ReferenceWindow::count_seconds(&reference.retries, started, now, 11);
                let allowed = ratio.of(calls).max(min.into());
                let burst = ReferenceWindow::count_tenths(&reference.retries, started, now, 11);
                let busiest =
                    ReferenceWindow::max_calls_per_second(&reference.calls, started, now);
                let max_burst = ratio.of(busiest).max(10);
                let is_allowed = counts.window(now).withdraw(now, limit);
                prop_assert_eq!(is_allowed, retries < allowed && burst < max_burst);
                if is_allowed {
                    reference.retries.push(now);
                    let ten = Duration::from_secs(10);
                    let calls = ReferenceWindow::count_within(&reference.calls, now, ten);
                    let retries = ReferenceWindow::count_within(&reference.retries, now, ten);
                    prop_assert!(retries <= ratio.of(calls).max(min.into()));
                    let second = Duration::from_secs(1);
                    let burst = ReferenceWindow::count_within(&reference.retries, now, second);
                    prop_assert!(burst <= max_burst);
                }
            }
        }

        #[test]
        fn ratio_is_exact_for_any_percentage(percent in 0_u8..=100, calls in 0_u64..10_000_000) {
            prop_assert_eq!(Ratio::percent(percent).of(calls), calls * u64::from(percent) / 100);
        }
    }

    #[test]
    fn window_does_not_move_back_when_time_goes_back() {
        let late = Instant::now() + Duration::from_secs(100);
        let counts = Counts::default();
        counts.deposit(late);
        counts.deposit(late.checked_sub(Duration::from_secs(50)).unwrap());
        assert_eq!(counts.window(late).sum_of_calls, 2);
    }

    #[test]
    fn call_count_saturates_at_max() {
        let now = Instant::now();
        let counts = Counts::default();
        counts.deposit(now);
        counts.window(now).calls[0] = u32::MAX;
        counts.deposit(now);
        let window = counts.window(now);
        assert_eq!((window.calls[0], window.sum_of_calls), (u32::MAX, 1));
    }
}
