//! The time for which a circuit stays open.

use std::time::Duration;

use seawall_core::Failure;

use super::settings::Settings;
use crate::jitter::scale;

/// The maximum fraction of the open duration that jitter subtracts.
const MAX_JITTER: f64 = 0.2;

/// Returns the time from the opening of a circuit to its first probe.
///
/// `failure` opened the circuit. `reopen_count` is the number of times that it has reopened without
/// closing in between. `random` is in `[0, 1)`.
pub(super) fn open_duration(
    failure: Failure,
    reopen_count: u32,
    random: f64,
    settings: &Settings,
) -> Duration {
    let max = settings.max_open_duration.max(settings.open_duration);
    let grown = grow(settings.open_duration, reopen_count, max);
    // Jitter only shortens the duration, so it never exceeds the documented maximum.
    let jittered = grown.saturating_sub(scale(grown, MAX_JITTER * random));
    let retry_after = failure.retry_after().unwrap_or_default().min(settings.max_retry_after);
    jittered.max(retry_after)
}

/// Returns `base` after `reopen_count` multiplications by 1.5, at most `max`.
fn grow(base: Duration, reopen_count: u32, max: Duration) -> Duration {
    let mut grown = base.min(max);
    for _ in 0..reopen_count {
        if grown >= max || grown.is_zero() {
            break;
        }
        grown = grown.saturating_add(grown / 2).min(max);
    }
    grown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_duration_stops_growing_at_maximum() {
        let (second, max) = (Duration::from_secs(1), Duration::from_secs(8));
        assert_eq!(grow(second, 1, max), Duration::from_millis(1_500));
        assert_eq!(grow(second, u32::MAX, max), max);
        assert_eq!(grow(Duration::ZERO, u32::MAX, max), Duration::ZERO);
        assert_eq!(grow(Duration::MAX, u32::MAX, Duration::MAX), Duration::MAX);
        assert_eq!(grow(max, 0, second), second);
    }
}
