use std::{fmt, time::Duration};

use super::{DurationValue, ScalarValue, impl_scalar_deserialize};

/// What chance does to a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Jitter {
    /// Whether it takes any part of it.
    Full(bool),
    /// It adds up to so much.
    Added(Duration),
}

impl ScalarValue for Jitter {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, or the most that chance adds, ")?;
        DurationValue::<0>::expected(f)
    }

    fn from_text(text: &str) -> Option<Self> {
        DurationValue::<0>::from_text(text).map(|time| Self::Added(time.0))
    }

    fn from_bool(is: bool) -> Option<Self> {
        Some(Self::Full(is))
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [{ "type": "boolean" }, DurationValue::<0>::schema()] })
    }
}

impl_scalar_deserialize!([] Jitter);
