use std::{fmt, time::Duration};

use super::{DurationValue, ScalarValue, impl_scalar_deserialize};

/// The jitter of a delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Jitter {
    /// Waits a random part of the delay, or exactly the delay if `false`.
    Full(bool),
    /// Adds a random time up to this duration.
    Added(Duration),
}

impl ScalarValue for Jitter {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, or the maximum jitter, ")?;
        DurationValue::<0>::expected(f)
    }

    fn from_text(text: &str) -> Option<Self> {
        DurationValue::<0>::from_text(text).map(|max| Self::Added(max.0))
    }

    fn from_bool(full: bool) -> Option<Self> {
        Some(Self::Full(full))
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [{ "type": "boolean" }, DurationValue::<0>::schema()] })
    }
}

impl_scalar_deserialize!([] Jitter);
