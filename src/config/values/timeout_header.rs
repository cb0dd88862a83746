use std::fmt;

use super::{ConfigValue, impl_scalar_deserialize};
use crate::deadline::TimeoutHeader;

/// A timeout header, written as its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConfigTimeoutHeader(pub(crate) TimeoutHeader);

const HEADERS: [TimeoutHeader; 2] = [TimeoutHeader::Grpc, TimeoutHeader::EnvoyExpected];

impl ConfigValue for ConfigTimeoutHeader {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [grpc, envoy] = HEADERS.map(TimeoutHeader::as_str);
        write!(f, "one of \"{grpc}\", \"{envoy}\"")
    }

    fn from_text(text: &str) -> Option<Self> {
        HEADERS.into_iter().find(|header| header.as_str() == text).map(Self)
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "enum": HEADERS.map(TimeoutHeader::as_str) })
    }
}

impl_scalar_deserialize!(ConfigTimeoutHeader);
