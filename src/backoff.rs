use std::time::Duration;

/// How long to wait before each retry, unless the server says (`Retry-After`).
///
/// The default grows exponentially from 100 ms by a factor of 2 up to 10 s, with full jitter.
///
/// ```
/// use std::time::Duration;
/// use seawall::retry::Backoff;
///
/// let backoff = Backoff::exponential(Duration::from_millis(250)).max(Duration::from_secs(5));
/// assert_eq!(backoff.longest(1), Duration::from_millis(250));
/// assert_eq!(backoff.longest(3), Duration::from_secs(1));
/// assert_eq!(backoff.longest(30), Duration::from_secs(5));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    base: Duration,
    growth: Growth,
    max: Duration,
    jitter: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Growth {
    None,
    Doubling,
}

impl Backoff {
    /// Waits up to `base` before the first retry, twice as much before the second, and so on up to
    /// [`max`](Self::max) (10 s unless set), each time a random part of it.
    #[must_use]
    pub const fn exponential(base: Duration) -> Self {
        Self {
            base,
            growth: Growth::Doubling,
            max: Duration::from_secs(10),
            jitter: true,
        }
    }

    /// Waits exactly `delay` before each retry. Many callers that failed together then come back together: prefer
    /// [`exponential`](Self::exponential) where there are many.
    #[must_use]
    pub const fn constant(delay: Duration) -> Self {
        Self {
            base: delay,
            growth: Growth::None,
            max: delay,
            jitter: false,
        }
    }

    /// Does not wait.
    #[must_use]
    pub const fn none() -> Self {
        Self::constant(Duration::ZERO)
    }

    /// The longest wait, whatever the growth. Takes effect on waits that begin afterwards.
    #[must_use]
    pub const fn max(self, max: Duration) -> Self {
        Self { max, ..self }
    }

    /// Whether a wait is a random part of itself ("full jitter": evenly spread between nothing and the whole), so that
    /// callers which failed together do not come back together. On for [`exponential`](Self::exponential), off for
    /// the others.
    #[must_use]
    pub const fn jitter(self, jitter: bool) -> Self {
        Self { jitter, ..self }
    }

    /// The longest possible wait before the given retry, counted from 1: the whole of what jitter takes a part of.
    #[must_use]
    pub fn longest(&self, retry: u32) -> Duration {
        let factor = match self.growth {
            Growth::None => 1,
            Growth::Doubling => 1_u32
                .checked_shl(retry.saturating_sub(1))
                .unwrap_or(u32::MAX),
        };
        self.base.saturating_mul(factor).min(self.max)
    }

    /// The wait before the given retry, counted from 1; `random` in `[0, 1)` picks the part.
    pub(crate) fn delay(&self, retry: u32, random: impl FnOnce() -> f64) -> Duration {
        let longest = self.longest(retry);
        if self.jitter && !longest.is_zero() {
            // `mul_f64` panics beyond `Duration::MAX`; a part of it cannot get there.
            longest.mul_f64(random().clamp(0.0, 1.0))
        } else {
            longest
        }
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::exponential(Duration::from_millis(100))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_delay_never_exceeds_its_longest(
            base in any::<Duration>(), max in any::<Duration>(), retry in any::<u32>(), random in 0.0..1.0,
        ) {
            let backoff = Backoff::exponential(base).max(max);
            prop_assert!(backoff.delay(retry, || random) <= backoff.longest(retry));
            prop_assert!(backoff.longest(retry) <= max);
        }

        #[test]
        fn doubling_agrees_with_adding_to_itself(base in 0_u32..1_000, retry in 1_u32..20) {
            let mut sum = u64::from(base);
            for _ in 1..retry {
                sum += sum;
            }
            let backoff = Backoff::exponential(Duration::from_millis(base.into())).max(Duration::MAX);
            prop_assert_eq!(backoff.longest(retry), Duration::from_millis(sum));
        }
    }

    #[test]
    fn the_longest_duration_is_no_panic() {
        let backoff = Backoff::exponential(Duration::MAX).max(Duration::MAX);
        for retry in [0, 1, 2, 31, 32, 33, u32::MAX] {
            assert_eq!(
                backoff
                    .delay(retry, || 1.0 - f64::EPSILON / 2.0)
                    .checked_sub(Duration::MAX),
                None
            );
        }
    }

    #[test]
    fn constant_is_the_same_each_time() {
        let backoff = Backoff::constant(Duration::from_secs(3));
        assert_eq!(backoff.delay(1, || 0.1), Duration::from_secs(3));
        assert_eq!(backoff.delay(9, || 0.1), Duration::from_secs(3));
    }
}
