//! The `Proxy-Status` field (RFC 9209): `edge; error=connection_refused`.

use http::HeaderValue;
use sfv::{KeyRef, ListSerializer, StringRef, TokenRef};

use crate::{Cause, Failure};

/// The name as a member of the field: a token where it is one, else a string.
pub(super) fn name(name: &str) -> String {
    name.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect()
}

/// The field's value for an error that this server answers.
pub(super) fn value(name: &str, failure: &Failure) -> Option<HeaderValue> {
    let mut list = ListSerializer::new();
    let member = match TokenRef::from_str(name) {
        Ok(token) => list.bare_item(token),
        Err(_) => list.bare_item(StringRef::from_str(name).ok()?),
    };
    let member = match error_type(failure.cause()) {
        Some(error) => {
            member.parameter(KeyRef::from_str("error").ok()?, TokenRef::from_str(error).ok()?)
        }
        None => member,
    };
    // RFC 9209 §2.1.4: the status received from the next hop.
    if let Some(status) = failure.status() {
        let _ = member.parameter(
            KeyRef::from_str("received-status").ok()?,
            sfv::Integer::from(status.as_u16()),
        );
    }
    HeaderValue::from_str(&list.finish()?).ok()
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
