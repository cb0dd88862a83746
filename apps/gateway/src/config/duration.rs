//! Durations of the configuration file.

use std::time::Duration;

use serde::{Deserializer, de::Error};

/// The maximum of each duration. Deadlines then never overflow the clock.
const MAX_DURATION: Duration = Duration::from_secs(31_557_600);

/// Deserializes a duration such as `10s`.
///
/// # Errors
/// Returns an error for a duration of 0 s or above 1 year.
pub(crate) fn deserialize_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let duration: Duration = humantime_serde::deserialize(deserializer)?;
    if duration.is_zero() || duration > MAX_DURATION {
        return Err(D::Error::custom("expected a duration above 0s and up to 1 year"));
    }
    Ok(duration)
}

/// Deserializes the value of an optional key, as [`deserialize_duration`] does.
pub(super) fn deserialize_optional_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    deserialize_duration(deserializer).map(Some)
}
