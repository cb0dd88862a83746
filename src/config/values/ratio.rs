use std::fmt;

use seawall_core::Ratio;

use super::{ConfigValue, impl_scalar_deserialize};

/// A ratio from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RatioValue(pub(crate) Ratio);

impl ConfigValue for RatioValue {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number from 0 to 1")
    }

    fn from_integer(number: i128) -> Option<Self> {
        // Only 0 and 1 are valid, and both convert exactly.
        Self::from_float(number as f64)
    }

    fn from_float(number: f64) -> Option<Self> {
        Ratio::new(number).ok().map(Self)
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "type": "number", "minimum": 0, "maximum": 1 })
    }
}

impl_scalar_deserialize!(RatioValue);
