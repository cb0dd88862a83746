use std::{error::Error, fmt, time::Duration};

/// A number from 0 to 1, both included, kept to the millionth.
///
/// ```
/// use seawall::Ratio;
///
/// assert_eq!(Ratio::new(0.6)?.get(), 0.6);
/// assert!(Ratio::new(1.5).is_err());
/// assert!(Ratio::new(f64::NAN).is_err());
/// # Ok::<(), seawall::RatioOutOfRange>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ratio {
    millionths: u32,
}

const WHOLE: u32 = 1_000_000;

impl Ratio {
    /// Creates a ratio.
    ///
    /// # Errors
    /// [`RatioOutOfRange`] if `ratio` is below 0, above 1 or not a number.
    pub fn new(ratio: f64) -> Result<Self, RatioOutOfRange> {
        if (0.0..=1.0).contains(&ratio) {
            Ok(Self { millionths: (ratio * f64::from(WHOLE)).round() as u32 })
        } else {
            Err(RatioOutOfRange(()))
        }
    }

    /// Creates a ratio of whole percent. More than 100 counts as 100.
    #[must_use]
    pub const fn percent(percent: u8) -> Self {
        let percent = if percent > 100 { 100 } else { percent };
        Self { millionths: percent as u32 * (WHOLE / 100) }
    }

    /// Returns the ratio as a number from 0 to 1.
    #[must_use]
    pub fn get(self) -> f64 {
        f64::from(self.millionths) / f64::from(WHOLE)
    }

    pub(crate) const fn millionths(self) -> u32 {
        self.millionths
    }

    /// Returns whether `part` of `whole` is at least this ratio. No `part` is never enough.
    pub(crate) fn is_reached(self, part: u64, whole: u64) -> bool {
        let part_of = u128::from(part) * u128::from(WHOLE);
        part > 0 && part_of >= u128::from(whole) * u128::from(self.millionths)
    }

    /// Returns this ratio of `whole`, rounded down, computed without floating point.
    pub(crate) fn of(self, whole: u64) -> u64 {
        let part = u128::from(whole) * u128::from(self.millionths) / u128::from(WHOLE);
        // A part is no more than the whole.
        u64::try_from(part).unwrap_or(whole)
    }
}

/// Returns the fraction `random` of `whole`, at most `whole`. `mul_f64` would panic beyond `Duration::MAX`, and round up.
pub(crate) fn part(whole: Duration, random: f64) -> Duration {
    Duration::try_from_secs_f64(whole.as_secs_f64() * random.clamp(0.0, 1.0))
        .map_or(whole, |part| part.min(whole))
}

/// A number that is not from 0 to 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatioOutOfRange(());

impl fmt::Display for RatioOutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a ratio is a number from 0 to 1")
    }
}

impl Error for RatioOutOfRange {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_kept_to_the_millionth() {
        for ratio in [0.0, 0.000_001, 0.25, 0.6, 1.0] {
            assert!((Ratio::new(ratio).unwrap().get() - ratio).abs() < 1e-9);
        }
        for percent in [0, 1, 50, 99, 100] {
            let ratio = Ratio::new(f64::from(percent) / 100.0).unwrap();
            assert_eq!(Ratio::percent(percent), ratio);
        }
        assert_eq!(Ratio::percent(101), Ratio::percent(100));
        assert_eq!(Ratio::percent(u8::MAX), Ratio::percent(100));
        for wrong in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(
                Ratio::new(wrong).unwrap_err().to_string(),
                "a ratio is a number from 0 to 1"
            );
        }
    }

    #[test]
    fn a_part_of_nothing_or_no_part_is_never_reached() {
        let half = Ratio::percent(50);
        assert!(half.is_reached(5, 10) && half.is_reached(6, 10) && !half.is_reached(4, 10));
        assert!(!Ratio::percent(0).is_reached(0, 10) && Ratio::percent(0).is_reached(1, 10));
        assert!(Ratio::percent(100).is_reached(10, 10) && !Ratio::percent(100).is_reached(9, 10));
        assert!(half.is_reached(u64::MAX, u64::MAX));
    }

    #[test]
    fn a_part_of_a_duration_is_no_more_than_the_whole() {
        let whole = Duration::from_secs(8);
        for (random, ms) in [(0.0, 0), (0.25, 2_000), (1.0, 8_000), (2.0, 8_000), (-1.0, 0)] {
            assert_eq!(part(whole, random), Duration::from_millis(ms));
        }
        assert_eq!(part(Duration::MAX, 1.0), Duration::MAX);
    }
}
