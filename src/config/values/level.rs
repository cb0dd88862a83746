use std::fmt;

use super::{ConfigValue, impl_scalar_deserialize};
use crate::logging::Level;

/// A log level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LevelValue(pub(crate) Level);

const LEVELS: [(&str, Level); 6] = [
    ("trace", Level::Trace),
    ("debug", Level::Debug),
    ("info", Level::Info),
    ("warn", Level::Warn),
    ("error", Level::Error),
    ("off", Level::Off),
];

impl ConfigValue for LevelValue {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one of \"trace\", \"debug\", \"info\", \"warn\", \"error\", \"off\"")
    }

    fn from_text(text: &str) -> Option<Self> {
        LEVELS.iter().find(|(name, _)| *name == text).map(|(_, level)| Self(*level))
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "enum": LEVELS.map(|(name, _)| name) })
    }
}

impl_scalar_deserialize!(LevelValue);
