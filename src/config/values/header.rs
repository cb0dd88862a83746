use std::fmt;

use http::HeaderName;

use super::{ConfigValue, impl_scalar_deserialize};

/// A header name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderNameValue(pub(crate) HeaderName);

impl ConfigValue for HeaderNameValue {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header name")
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" })
    }
}

impl_scalar_deserialize!(HeaderNameValue);
