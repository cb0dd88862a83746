use std::{error::Error, fmt, sync::Arc, time::Duration};

use crate::jitter::scale;

/// How long to wait before each retry, unless the server says (`Retry-After`).
///
/// The default grows exponentially from 100 ms by a factor of 2 up to 10 s, with full jitter.
///
/// ```
/// use std::time::Duration;
/// use seawall::retry::Backoff;
///
/// let backoff = Backoff::exponential(Duration::from_millis(250)).max(Duration::from_secs(5));
/// assert_eq!(backoff.max_delay(1), Duration::from_millis(250));
/// assert_eq!(backoff.max_delay(3), Duration::from_secs(1));
/// assert_eq!(backoff.max_delay(30), Duration::from_secs(5));
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    growth: Growth,
    max: Duration,
    jitter: Jitter,
}

#[derive(Clone)]
enum Growth {
    Constant(Duration),
    Doubling(Duration),
    /// Seconds; nothing before the first retry, then twice as much each time.
    Urllib3(f64),
    Custom(Arc<dyn Fn(u32) -> Duration + Send + Sync>),
}

/// What chance does to a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Jitter {
    None,
    /// Any part of it.
    Full,
    /// Up to so much more.
    Added(Duration),
}

impl Backoff {
    /// Waits up to `base` before the first retry, twice as much before the second, and so on up to
    /// [`max`](Self::max) (10 s unless set), each time a random part of it.
    #[must_use]
    pub const fn exponential(base: Duration) -> Self {
        Self { growth: Growth::Doubling(base), max: Duration::from_secs(10), jitter: Jitter::Full }
    }

    /// Waits exactly `delay` before each retry. Many callers that failed together then come back together: prefer
    /// [`exponential`](Self::exponential) where there are many.
    #[must_use]
    pub const fn constant(delay: Duration) -> Self {
        Self { growth: Growth::Constant(delay), max: Duration::MAX, jitter: Jitter::None }
    }

    /// Does not wait.
    #[must_use]
    pub const fn none() -> Self {
        Self::constant(Duration::ZERO)
    }

    /// Waits as urllib3's `Retry(backoff_factor=factor)` does: not at all before the first retry, and
    /// `factor · 2^(n-1)` seconds before the n-th, up to [`max`](Self::max) (120 s unless set), without jitter
    /// unless [`added_jitter`](Self::added_jitter) is set.
    ///
    /// # Errors
    /// [`InvalidBackoffFactor`] if `factor` is negative, infinite or not a number.
    pub fn urllib3(factor: f64) -> Result<Self, InvalidBackoffFactor> {
        if !(factor.is_finite() && factor >= 0.0) {
            return Err(InvalidBackoffFactor(()));
        }
        Ok(Self {
            growth: Growth::Urllib3(factor),
            max: Duration::from_secs(120),
            jitter: Jitter::None,
        })
    }

    /// Waits as `delay` says for each retry, counted from 1. It is called once a retry, and must not block.
    #[must_use]
    pub fn custom(delay: impl Fn(u32) -> Duration + Send + Sync + 'static) -> Self {
        Self { growth: Growth::Custom(Arc::new(delay)), max: Duration::MAX, jitter: Jitter::None }
    }

    /// The longest wait, whatever the growth, jitter included. Takes effect on waits that begin afterwards.
    #[must_use]
    pub fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// Whether a wait is a random part of itself ("full jitter": evenly spread between nothing and the whole), so that
    /// callers which failed together do not come back together. On for [`exponential`](Self::exponential), off for
    /// the others.
    #[must_use]
    pub fn jitter(mut self, jitter: bool) -> Self {
        self.jitter = if jitter { Jitter::Full } else { Jitter::None };
        self
    }

    /// Adds a random time from nothing to `most` to each wait, in place of other jitter: urllib3's `backoff_jitter`.
    #[must_use]
    pub fn added_jitter(mut self, most: Duration) -> Self {
        self.jitter = Jitter::Added(most);
        self
    }

    /// The wait before the given retry, counted from 1, without jitter: the whole of what full jitter takes a part of.
    #[must_use]
    pub fn max_delay(&self, retry: u32) -> Duration {
        let doublings = retry.saturating_sub(1);
        let delay = match &self.growth {
            Growth::Constant(delay) => *delay,
            Growth::Doubling(base) => {
                base.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
            }
            Growth::Urllib3(_) if retry <= 1 => Duration::ZERO,
            Growth::Urllib3(factor) => {
                let seconds = factor * 2_f64.powi(doublings.try_into().unwrap_or(i32::MAX));
                Duration::try_from_secs_f64(seconds).unwrap_or(self.max)
            }
            Growth::Custom(delay) => delay(retry),
        };
        delay.min(self.max)
    }

    /// The wait before the given retry, counted from 1; `random` in `[0, 1)` picks the part.
    pub(crate) fn delay(&self, retry: u32, random: impl FnOnce() -> f64) -> Duration {
        let longest = self.max_delay(retry);
        match self.jitter {
            Jitter::Full if !longest.is_zero() => scale(longest, random()),
            // urllib3 adds nothing where there is no wait: before the first retry.
            Jitter::Added(most) if !(retry <= 1 && matches!(self.growth, Growth::Urllib3(_))) => {
                longest.saturating_add(scale(most, random())).min(self.max)
            }
            Jitter::None | Jitter::Full | Jitter::Added(_) => longest,
        }
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::exponential(Duration::from_millis(100))
    }
}

impl fmt::Debug for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(delay) => f.debug_tuple("Constant").field(delay).finish(),
            Self::Doubling(base) => f.debug_tuple("Doubling").field(base).finish(),
            Self::Urllib3(factor) => f.debug_tuple("Urllib3").field(factor).finish(),
            Self::Custom(_) => f.write_str("Custom"),
        }
    }
}

/// A backoff factor that is negative, infinite or not a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidBackoffFactor(());

impl fmt::Display for InvalidBackoffFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a backoff factor is a number of seconds, zero or more")
    }
}

impl Error for InvalidBackoffFactor {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_backoff() -> impl Strategy<Value = Backoff> {
        prop_oneof![
            any::<Duration>().prop_map(Backoff::exponential),
            any::<Duration>().prop_map(Backoff::constant),
            (0.0..f64::MAX).prop_map(|factor| Backoff::urllib3(factor).unwrap()),
            any::<Duration>().prop_map(|delay| Backoff::custom(move |_| delay)),
        ]
    }

    proptest! {
        #[test]
        fn a_delay_never_exceeds_its_maximum(
            backoff in any_backoff(), max in any::<Duration>(), jitter in 0..3, most in any::<Duration>(),
            retry in any::<u32>(), random in 0.0..1.0,
        ) {
            let backoff = backoff.max(max);
            let backoff = match jitter {
                0 => backoff.jitter(false),
                1 => backoff.jitter(true),
                _ => backoff.added_jitter(most),
            };
            prop_assert!(backoff.max_delay(retry) <= max);
            let delay = backoff.delay(retry, || random);
            prop_assert!(delay <= max);
            match jitter {
                0 => prop_assert_eq!(delay, backoff.max_delay(retry)),
                1 => prop_assert!(delay <= backoff.max_delay(retry)),
                _ => prop_assert!(delay >= backoff.max_delay(retry)),
            }
        }

        #[test]
        fn doubling_agrees_with_adding_to_itself(base in 0_u32..1_000, retry in 1_u32..20) {
            let mut sum = u64::from(base);
            for _ in 1..retry {
                sum += sum;
            }
            let backoff = Backoff::exponential(Duration::from_millis(base.into())).max(Duration::MAX);
            prop_assert_eq!(backoff.max_delay(retry), Duration::from_millis(sum));
        }
    }

    #[test]
    fn full_jitter_takes_the_part_that_chance_says() {
        let backoff = Backoff::exponential(Duration::from_secs(8));
        for (random, ms) in [(0.0, 0), (0.25, 2_000), (0.5, 4_000)] {
            assert_eq!(backoff.delay(1, || random), Duration::from_millis(ms));
        }
    }

    #[test]
    fn the_longest_duration_is_no_panic() {
        let backoff = Backoff::exponential(Duration::MAX).max(Duration::MAX);
        for retry in [0, 1, 2, 31, 32, 33, u32::MAX] {
            for random in [0.0, 0.5, 1.0 - f64::EPSILON / 2.0, 1.0, 2.0, -1.0] {
                assert!(backoff.delay(retry, || random) <= Duration::MAX);
            }
        }
    }

    #[test]
    fn where_there_is_no_wait_chance_is_not_asked() {
        let never = || panic!("asked");
        assert_eq!(Backoff::exponential(Duration::ZERO).delay(1, never), Duration::ZERO);
        assert_eq!(Backoff::none().delay(1, never), Duration::ZERO);
    }

    #[test]
    fn constant_is_the_same_each_time() {
        let backoff = Backoff::constant(Duration::from_secs(3));
        assert_eq!(backoff.delay(1, || 0.1), Duration::from_secs(3));
        assert_eq!(backoff.delay(9, || 0.1), Duration::from_secs(3));
    }

    #[test]
    fn urllib3_does_not_wait_before_the_first_retry_nor_add_jitter_to_it() {
        let backoff = Backoff::urllib3(0.5).unwrap().added_jitter(Duration::from_secs(1));
        let delays = [1, 2, 3, 4].map(|retry| backoff.delay(retry, || 0.5).as_millis());
        assert_eq!(delays, [0, 1_500, 2_500, 4_500]);
        assert_eq!(backoff.max_delay(40), Duration::from_secs(120));
        assert_eq!(backoff.max_delay(u32::MAX), Duration::from_secs(120));
    }

    #[test]
    fn a_factor_is_a_number_of_seconds() {
        for factor in [-0.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Backoff::urllib3(factor).unwrap_err(), InvalidBackoffFactor(()), "{factor}");
        }
        assert!(Backoff::urllib3(0.0).is_ok() && Backoff::urllib3(-0.0).is_ok());
    }

    #[test]
    fn custom_is_asked_with_the_number_of_the_retry() {
        let backoff = Backoff::custom(|retry| Duration::from_secs(retry.into()));
        assert_eq!(backoff.delay(7, || 0.5), Duration::from_secs(7));
    }
}
