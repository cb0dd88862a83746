//! A number from 0 to 1.

use std::{error::Error, fmt};

/// A number from 0 to 1, inclusive, with a precision of one millionth.
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

const MILLIONTHS_PER_ONE: u32 = 1_000_000;

impl Ratio {
    /// Creates a ratio.
    ///
    /// # Errors
    /// Returns [`RatioOutOfRange`] if `ratio` is below 0, above 1 or not a number.
    pub fn new(ratio: f64) -> Result<Self, RatioOutOfRange> {
        if (0.0..=1.0).contains(&ratio) {
            Ok(Self { millionths: (ratio * f64::from(MILLIONTHS_PER_ONE)).round() as u32 })
        } else {
            Err(RatioOutOfRange(()))
        }
    }

    /// Creates a ratio from a percentage. Values above 100 are clamped to 100.
    #[must_use]
    pub const fn percent(percent: u8) -> Self {
        let percent = if percent > 100 { 100 } else { percent };
        Self { millionths: percent as u32 * (MILLIONTHS_PER_ONE / 100) }
    }

    /// Returns the ratio as a number from 0 to 1.
    #[must_use]
    pub fn get(self) -> f64 {
        f64::from(self.millionths) / f64::from(MILLIONTHS_PER_ONE)
    }

    /// Returns the ratio in millionths.
    #[must_use]
    pub const fn millionths(self) -> u32 {
        self.millionths
    }

    /// Returns whether `part / whole` is at least this ratio. Returns false if `part` is 0.
    #[must_use]
    pub fn is_reached_by(self, part: u64, whole: u64) -> bool {
        let scaled_part = u128::from(part) * u128::from(MILLIONTHS_PER_ONE);
        part > 0 && scaled_part >= u128::from(whole) * u128::from(self.millionths)
    }

    /// Returns this ratio of `whole`, rounded down, computed without floating point.
    #[must_use]
    pub fn of(self, whole: u64) -> u64 {
        let part = u128::from(whole) * u128::from(self.millionths) / u128::from(MILLIONTHS_PER_ONE);
        // The part never exceeds the whole.
        u64::try_from(part).unwrap_or(whole)
    }
}

/// The error of a number that is not from 0 to 1.
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
    fn ratio_has_precision_of_one_millionth() {
        for ratio in [0.0, 0.000_001, 0.25, 0.6, 1.0] {
            assert!((Ratio::new(ratio).unwrap().get() - ratio).abs() < 1e-9);
        }
        for percent in [0, 1, 50, 99, 100] {
            let ratio = Ratio::new(f64::from(percent) / 100.0).unwrap();
            assert_eq!(Ratio::percent(percent), ratio);
        }
        assert_eq!(Ratio::percent(101), Ratio::percent(100));
        assert_eq!(Ratio::percent(u8::MAX), Ratio::percent(100));
        for invalid in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(
                Ratio::new(invalid).unwrap_err().to_string(),
                "a ratio is a number from 0 to 1"
            );
        }
    }

    #[test]
    fn zero_part_reaches_no_ratio() {
        let half = Ratio::percent(50);
        assert!(
            half.is_reached_by(5, 10) && half.is_reached_by(6, 10) && !half.is_reached_by(4, 10)
        );
        assert!(!Ratio::percent(0).is_reached_by(0, 10) && Ratio::percent(0).is_reached_by(1, 10));
        assert!(
            Ratio::percent(100).is_reached_by(10, 10) && !Ratio::percent(100).is_reached_by(9, 10)
        );
        assert!(half.is_reached_by(u64::MAX, u64::MAX));
    }
}
