use std::fmt;

use http::HeaderName;

use super::{ScalarValue, leaf};

/// The name of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::standard::config) struct Header(pub(in crate::standard::config) HeaderName);

impl ScalarValue for Header {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a header")
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" })
    }
}

leaf!([] Header);
