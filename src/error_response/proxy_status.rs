//! The `Proxy-Status` header (RFC 9209), such as `edge;error=connection_refused`.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use seawall_core::{Cause, Failure};
use sfv::{KeyRef, ListSerializer, StringRef, TokenRef};

use crate::headers;

pub(super) static PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

/// Returns the header value for an error response of this server.
pub(super) fn with_error(name: &str, failure: &Failure, text: Option<&str>) -> Option<HeaderValue> {
    // A string in a structured field consists of printable ASCII.
    let text = text.filter(|text| !text.is_empty());
    let text: Option<String> = text.map(|text| text.chars().map(printable).collect());
    member(name, error_type(failure.cause()), failure.status(), text.as_deref())
}

/// Appends this server's member to a failed response of the inner service.
///
/// The first member is that of the server nearest to the origin (RFC 9209 §2).
pub(super) fn append(name: &str, status: StatusCode, map: &mut HeaderMap) {
    if let Some(value) = member(name, None, Some(status), None) {
        headers::append(map, &PROXY_STATUS, value);
    }
}

fn member(
    name: &str,
    error: Option<&str>,
    received: Option<StatusCode>,
    details: Option<&str>,
) -> Option<HeaderValue> {
    let mut list = ListSerializer::new();
    // A string, if the name is not a valid token.
    let mut member = match TokenRef::from_str(name) {
        Ok(token) => list.bare_item(token),
        Err(_) => list.bare_item(StringRef::from_str(name).ok()?),
    };
    if let Some(error) = error {
        member = member.parameter(KeyRef::from_str("error").ok()?, TokenRef::from_str(error).ok()?);
    }
    // RFC 9209 §2.1.4: the status received from the next hop.
    if let Some(status) = received {
        let status = sfv::Integer::from(status.as_u16());
        member = member.parameter(KeyRef::from_str("received-status").ok()?, status);
    }
    if let Some(details) = details {
        let _ =
            member.parameter(KeyRef::from_str("details").ok()?, StringRef::from_str(details).ok()?);
    }
    HeaderValue::try_from(list.finish()?).ok()
}

const fn printable(c: char) -> char {
    if matches!(c, ' '..='~') { c } else { '?' }
}

/// Returns the closest registered error type of RFC 9209.
///
/// Returns `None` if no type matches. The parameter is optional, and a guess would mislead.
fn error_type(cause: Cause) -> Option<&'static str> {
    Some(match cause {
        Cause::CircuitOpen | Cause::Overloaded => Cause::DestinationUnavailable.as_str(),
        Cause::GatewayTimeout => Cause::HttpResponseTimeout.as_str(),
        cause if cause.is_registered() => cause.as_str(),
        _ => return None,
    })
}
