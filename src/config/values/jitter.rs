use std::{fmt, time::Duration};

use super::{ConfigValue, DurationValue, impl_scalar_deserialize};

/// The jitter of a delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Jitter {
    /// Enables or disables full jitter, which waits a random part of the delay.
    Full(bool),
    /// Adds a random time up to this duration to the delay.
    Added(Duration),
}

impl ConfigValue for Jitter {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, or the maximum jitter, ")?;
        DurationValue::<0>::expected(f)
    }

    fn from_text(text: &str) -> Option<Self> {
        DurationValue::<0>::from_text(text).map(|max| Self::Added(max.0))
    }

    fn from_bool(enabled: bool) -> Option<Self> {
        Some(Self::Full(enabled))
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [{ "type": "boolean" }, DurationValue::<0>::schema()] })
    }
}

impl_scalar_deserialize!(Jitter);
