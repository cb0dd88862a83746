//! The fraction of a duration, for jitter.

use std::time::Duration;

/// Returns `fraction` of `whole`, at most `whole`. `mul_f64` would panic beyond `Duration::MAX`, and round up.
pub(crate) fn scale(whole: Duration, fraction: f64) -> Duration {
    Duration::try_from_secs_f64(whole.as_secs_f64() * fraction.clamp(0.0, 1.0))
        .map_or(whole, |part| part.min(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_duration_is_no_more_than_the_whole() {
        let whole = Duration::from_secs(8);
        for (fraction, ms) in [(0.0, 0), (0.25, 2_000), (1.0, 8_000), (2.0, 8_000), (-1.0, 0)] {
            assert_eq!(scale(whole, fraction), Duration::from_millis(ms));
        }
        assert_eq!(scale(Duration::MAX, 1.0), Duration::MAX);
    }
}
