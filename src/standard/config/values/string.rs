use std::fmt;

use super::{ScalarValue, leaf};

/// Any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::standard::config) struct Text(pub(in crate::standard::config) String);

impl ScalarValue for Text {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

leaf!([] Text);
