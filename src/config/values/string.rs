use std::fmt;

use super::{ConfigValue, impl_scalar_deserialize};

/// Any string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StringValue(pub(crate) String);

impl ConfigValue for StringValue {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

impl_scalar_deserialize!(StringValue);
