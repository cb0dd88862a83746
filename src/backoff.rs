use std::{error::Error, fmt, sync::Arc, time::Duration};

use crate::jitter::scale;

/// The delay before each retry, unless the server requests one (`Retry-After`).
///
/// By default, the delay doubles from 100 ms up to 10 s, with full jitter.
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
    immediate_first_retry: bool,
}

#[derive(Clone)]
enum Growth {
    Constant(Duration),
    Doubling(Duration),
    /// The factor in seconds. The first retry has no delay. Later delays double.
    Urllib3(f64),
    Custom(Arc<dyn Fn(u32) -> Duration + Send + Sync>),
}

/// The random part of a delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Jitter {
    None,
    /// Scales the delay by a random fraction.
    Full,
    /// Adds a random time up to this maximum.
    Added(Duration),
}

impl Backoff {
    /// Creates an exponential backoff with full jitter.
    ///
    /// The delay is at most `base` before the first retry and doubles with each retry, up to
    /// [`max`](Self::max). The default `max` is 10 s.
    #[must_use]
    pub const fn exponential(base: Duration) -> Self {
        Self {
            growth: Growth::Doubling(base),
            max: Duration::from_secs(10),
            jitter: Jitter::Full,
            immediate_first_retry: true,
        }
    }

    /// Creates a backoff that waits exactly `delay` before each retry.
    ///
    /// Callers that fail together then retry together. Prefer [`exponential`](Self::exponential)
    /// for many callers.
    #[must_use]
    pub const fn constant(delay: Duration) -> Self {
        Self {
            growth: Growth::Constant(delay),
            max: Duration::MAX,
            jitter: Jitter::None,
            immediate_first_retry: false,
        }
    }

    /// Creates a backoff without delays.
    #[must_use]
    pub const fn none() -> Self {
        Self::constant(Duration::ZERO)
    }

    /// Creates the backoff of urllib3's `Retry(backoff_factor=factor)`.
    ///
    /// The first retry has no delay. The n-th retry has a delay of `factor · 2^(n-1)` seconds, up
    /// to [`max`](Self::max). The default `max` is 120 s. There is no jitter unless
    /// [`added_jitter`](Self::added_jitter) is set.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidBackoffFactor`] if `factor` is negative, infinite or NaN.
    pub fn urllib3(factor: f64) -> Result<Self, InvalidBackoffFactor> {
        if !(factor.is_finite() && factor >= 0.0) {
            return Err(InvalidBackoffFactor(()));
        }
        Ok(Self {
            growth: Growth::Urllib3(factor),
            max: Duration::from_secs(120),
            jitter: Jitter::None,
            immediate_first_retry: false,
        })
    }

    /// Creates a backoff whose delays `delay` returns. Its argument is the number of the retry,
    /// counted from 1.
    ///
    /// `delay` is called once per retry, and must not block.
    #[must_use]
    pub fn custom(delay: impl Fn(u32) -> Duration + Send + Sync + 'static) -> Self {
        Self { growth: Growth::Custom(Arc::new(delay)), ..Self::constant(Duration::ZERO) }
    }

    /// Sets the maximum delay, including jitter.
    ///
    /// Default: 10 s for [`exponential`](Self::exponential), 120 s for [`urllib3`](Self::urllib3),
    /// no limit for the others.
    #[must_use]
    pub fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// Enables full jitter: each delay is drawn uniformly between zero and its full length, so that
    /// callers do not retry in lockstep.
    ///
    /// Default: `true` for [`exponential`](Self::exponential), `false` for the others.
    #[must_use]
    pub fn use_jitter(mut self, jitter: bool) -> Self {
        self.jitter = if jitter { Jitter::Full } else { Jitter::None };
        self
    }

    /// Adds a random time between zero and `max` to each delay. Replaces full jitter. Equivalent to
    /// urllib3's `backoff_jitter`.
    #[must_use]
    pub fn added_jitter(mut self, max: Duration) -> Self {
        self.jitter = Jitter::Added(max);
        self
    }

    /// Sends the first retry of a call without a delay while failures are isolated. Default: `true`
    /// for [`exponential`](Self::exponential), `false` for the others.
    ///
    /// Failures are isolated while at most half of the [`Budget`](crate::retry::Budget) is used: by
    /// default, while at most 10 % of the calls need a retry. During an outage, the backoff applies
    /// to each retry, as it does after a rate limit or an overload, and with
    /// [`Budget::none`](crate::retry::Budget::none).
    #[must_use]
    pub fn immediate_first_retry(mut self, immediate: bool) -> Self {
        self.immediate_first_retry = immediate;
        self
    }

    /// Returns the delay before the given retry, counted from 1, without jitter. Full jitter never
    /// exceeds it.
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

    /// Returns the delay before the given retry, counted from 1, with jitter. `random` returns a
    /// number in `[0, 1)`.
    pub(crate) fn delay(
        &self,
        retry: u32,
        is_isolated: bool,
        random: impl FnOnce() -> f64,
    ) -> Duration {
        if self.immediate_first_retry && retry == 1 && is_isolated {
            return Duration::ZERO;
        }
        let delay = self.max_delay(retry);
        match self.jitter {
            Jitter::Full if !delay.is_zero() => scale(delay, random()),
            // urllib3 adds no jitter to the first retry, which has no delay.
            Jitter::Added(max) if !(retry <= 1 && matches!(self.growth, Growth::Urllib3(_))) => {
                delay.saturating_add(scale(max, random())).min(self.max)
            }
            Jitter::None | Jitter::Full | Jitter::Added(_) => delay,
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

/// An error for a backoff factor that is negative, infinite or NaN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidBackoffFactor(());

impl fmt::Display for InvalidBackoffFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("backoff factor must be a finite number of seconds, 0 or more")
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
        fn delay_never_exceeds_max(
            backoff in any_backoff(),
            max in any::<Duration>(),
            jitter in 0..3,
            max_jitter in any::<Duration>(),
            retry in any::<u32>(),
            random in 0.0..1.0,
        ) {
            let backoff = backoff.max(max);
            let backoff = match jitter {
                0 => backoff.use_jitter(false),
                1 => backoff.use_jitter(true),
                _ => backoff.added_jitter(max_jitter),
            };
            prop_assert!(backoff.max_delay(retry) <= max);
            let delay = backoff.delay(retry, false, || random);
            prop_assert!(delay <= max);
            match jitter {
                0 => prop_assert_eq!(delay, backoff.max_delay(retry)),
                1 => prop_assert!(delay <= backoff.max_delay(retry)),
                _ => prop_assert!(delay >= backoff.max_delay(retry)),
            }
        }

        #[test]
        fn exponential_delay_doubles_with_each_retry(base in 0_u32..1_000, retry in 1_u32..20) {
            let mut expected = u64::from(base);
            for _ in 1..retry {
                expected *= 2;
            }
            let base = Duration::from_millis(base.into());
            let backoff = Backoff::exponential(base).max(Duration::MAX);
            prop_assert_eq!(backoff.max_delay(retry), Duration::from_millis(expected));
        }
    }

    #[test]
    fn full_jitter_scales_delay_by_random_fraction() {
        let backoff = Backoff::exponential(Duration::from_secs(8));
        for (random, ms) in [(0.0, 0), (0.25, 2_000), (0.5, 4_000)] {
            assert_eq!(backoff.delay(1, false, || random), Duration::from_millis(ms));
        }
    }

    #[test]
    fn max_duration_does_not_overflow() {
        let backoff = Backoff::exponential(Duration::MAX).max(Duration::MAX);
        for retry in [0, 1, 2, 31, 32, 33, u32::MAX] {
            for random in [0.0, 0.5, 1.0 - f64::EPSILON / 2.0, 1.0, 2.0, -1.0] {
                assert!(backoff.delay(retry, false, || random) <= Duration::MAX);
            }
        }
    }

    #[test]
    fn zero_delay_draws_no_random_number() {
        let unused_random = || panic!("random number drawn for a zero delay");
        assert_eq!(
            Backoff::exponential(Duration::ZERO).delay(1, false, unused_random),
            Duration::ZERO
        );
        assert_eq!(Backoff::none().delay(1, false, unused_random), Duration::ZERO);
    }

    #[test]
    fn constant_delay_is_equal_for_each_retry() {
        let backoff = Backoff::constant(Duration::from_secs(3));
        assert_eq!(backoff.delay(1, false, || 0.1), Duration::from_secs(3));
        assert_eq!(backoff.delay(9, false, || 0.1), Duration::from_secs(3));
    }

    #[test]
    fn urllib3_delay_and_jitter_start_with_second_retry() {
        let backoff = Backoff::urllib3(0.5).unwrap().added_jitter(Duration::from_secs(1));
        let delays = [1, 2, 3, 4].map(|retry| backoff.delay(retry, false, || 0.5).as_millis());
        assert_eq!(delays, [0, 1_500, 2_500, 4_500]);
        assert_eq!(backoff.max_delay(40), Duration::from_secs(120));
        assert_eq!(backoff.max_delay(u32::MAX), Duration::from_secs(120));
    }

    #[test]
    fn urllib3_rejects_factor_when_negative_or_not_finite() {
        for factor in [-0.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Backoff::urllib3(factor).unwrap_err(), InvalidBackoffFactor(()), "{factor}");
        }
        assert!(Backoff::urllib3(0.0).is_ok() && Backoff::urllib3(-0.0).is_ok());
    }

    #[test]
    fn custom_backoff_receives_retry_number() {
        let backoff = Backoff::custom(|retry| Duration::from_secs(retry.into()));
        assert_eq!(backoff.delay(7, false, || 0.5), Duration::from_secs(7));
    }
}
