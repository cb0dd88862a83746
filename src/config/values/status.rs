use std::fmt;

use super::{ConfigValue, impl_scalar_deserialize};

/// An HTTP status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status(pub(crate) u16);

impl ConfigValue for Status {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status from 100 to 599")
    }

    fn from_integer(number: i128) -> Option<Self> {
        u16::try_from(number).ok().filter(|status| (100..600).contains(status)).map(Self)
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 100, "maximum": 599 })
    }
}

impl_scalar_deserialize!(Status);
