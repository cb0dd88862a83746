//! What OpenTelemetry's HTTP conventions say of a request, whether it is logged or measured.
//!
//! <https://opentelemetry.io/docs/specs/semconv/http/>

use http::{Method, Uri};

/// What stands for a method that has no name here.
pub(crate) const OTHER: &str = "_OTHER";

/// A method by a name of which there are few: RFC 9110 §9, RFC 5789, and QUERY.
pub(crate) fn method(method: &Method) -> Option<&'static str> {
    const NAMES: [&str; 10] =
        ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"];
    NAMES.into_iter().find(|name| method.as_str() == *name)
}

/// The port of a scheme, where the URL names none.
pub(crate) fn port_of_scheme(uri: &Uri) -> Option<u16> {
    match uri.scheme_str() {
        Some("http") => Some(80),
        Some("https") => Some(443),
        _ => None,
    }
}
