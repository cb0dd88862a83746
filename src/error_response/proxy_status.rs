//! The `Proxy-Status` field (RFC 9209): `edge;error=connection_refused`.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use sfv::{KeyRef, ListSerializer, StringRef, TokenRef};

use crate::{Cause, Failure};

pub(super) static PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

/// The field's value for an error that this server answers.
pub(super) fn answered(name: &str, failure: &Failure, text: Option<&str>) -> Option<HeaderValue> {
    // A structured field's string can hold printable ASCII only.
    let text = text.filter(|text| !text.is_empty());
    let text: Option<String> = text.map(|text| text.chars().map(printable).collect());
    member(name, error_type(failure.cause()), failure.status(), text.as_deref())
}

/// Adds this server's member to those of a failed response that passes: RFC 9209 §2, the one nearest to the origin
/// stands first, and what is there is kept.
pub(super) fn append(name: &str, status: StatusCode, headers: &mut HeaderMap) {
    if let Some(value) = member(name, None, Some(status), None) {
        // Fails when there are more headers than the map can hold: then there is no place for ours.
        let _ = headers.try_append(&PROXY_STATUS, value);
    }
}

fn member(
    name: &str,
    error: Option<&str>,
    received: Option<StatusCode>,
    details: Option<&str>,
) -> Option<HeaderValue> {
    let mut list = ListSerializer::new();
    // A token where it is one, else a string.
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

/// The registered error type that comes nearest. A cause of ours that none comes near has none: the parameter is
/// optional, and a guess would mislead.
fn error_type(cause: Cause) -> Option<&'static str> {
    Some(match cause {
        Cause::CircuitOpen | Cause::Overloaded => Cause::DestinationUnavailable.as_str(),
        Cause::GatewayTimeout => Cause::HttpResponseTimeout.as_str(),
        cause if cause.is_registered() => cause.as_str(),
        _ => return None,
    })
}
