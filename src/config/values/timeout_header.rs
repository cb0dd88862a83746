use std::fmt;

use super::{ScalarValue, impl_scalar_deserialize};
use crate::deadline::TimeoutHeader;

/// A request header that carries the caller's timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeoutHeaderName(pub(crate) TimeoutHeader);

const HEADERS: [TimeoutHeader; 2] = [TimeoutHeader::Grpc, TimeoutHeader::EnvoyExpected];

impl ScalarValue for TimeoutHeaderName {
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

impl_scalar_deserialize!([] TimeoutHeaderName);
