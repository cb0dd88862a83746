//! Scales durations for jitter.

use std::time::Duration;

/// Returns `duration` multiplied by `fraction`, which is clamped to `[0, 1]`.
///
/// `Duration::mul_f64` would panic above `Duration::MAX`, and rounding could exceed `duration`.
pub(crate) fn scale(duration: Duration, fraction: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * fraction.clamp(0.0, 1.0))
        .map_or(duration, |scaled| scaled.min(duration))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_duration_never_exceeds_duration() {
        let duration = Duration::from_secs(8);
        for (fraction, ms) in [(0.0, 0), (0.25, 2_000), (1.0, 8_000), (2.0, 8_000), (-1.0, 0)] {
            assert_eq!(scale(duration, fraction), Duration::from_millis(ms));
        }
        assert_eq!(scale(Duration::MAX, 1.0), Duration::MAX);
    }
}
