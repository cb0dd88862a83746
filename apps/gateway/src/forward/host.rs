//! The host of a request: `Host`, `:authority`, or the authority of an absolute-form target.

use std::net::Ipv6Addr;

use http::{
    HeaderMap, HeaderValue, Request, Version,
    header::{Entry, HOST},
    uri::{Authority, Scheme, Uri},
};

use super::refusal::Refusal;

/// Validates the host, and makes `Host` the authority of the target if that has one.
///
/// # Errors
/// Returns an error if the host is missing, repeated or invalid, or if `:authority` differs from
/// `Host`.
pub(super) fn validate<B>(request: &mut Request<B>) -> Result<(), Refusal> {
    let version = request.version();
    let host = host_field(request.headers())?;
    let target = request.uri().authority();
    if target.is_some_and(|target| !is_host_and_port(target)) {
        return Err(Refusal::bad_request("The host of the request target is invalid."));
    }
    match (host, target) {
        // HTTP/1.0 has no `Host`.
        (None, None) if version < Version::HTTP_11 => Ok(()),
        (None, None) => Err(Refusal::bad_request("The request has no Host field.")),
        (Some(_), None) => Ok(()),
        (Some(host), Some(target))
            if version >= Version::HTTP_2 && !is_same(&host, target, request.uri()) =>
        {
            Err(Refusal::bad_request("The Host field differs from :authority."))
        }
        (_, Some(target)) => {
            let host = HeaderValue::from_str(target.as_str());
            let invalid = |_| Refusal::bad_request("The host of the request target is invalid.");
            let host = host.map_err(invalid)?;
            match request.headers_mut().entry(HOST) {
                Entry::Occupied(mut entry) => drop(entry.insert(host)),
                Entry::Vacant(entry) => drop(entry.insert(host)),
            }
            Ok(())
        }
    }
}

/// Returns the only `Host` field.
fn host_field(headers: &HeaderMap) -> Result<Option<Authority>, Refusal> {
    let mut fields = headers.get_all(HOST).iter();
    let Some(host) = fields.next() else { return Ok(None) };
    if fields.next().is_some() {
        return Err(Refusal::bad_request("The request has more than one Host field."));
    }
    let authority = Authority::try_from(host.as_bytes()).ok().filter(is_host_and_port);
    authority.map(Some).ok_or(Refusal::bad_request("The Host field is invalid."))
}

/// Returns whether the authority is a host and an optional port, without a user.
///
/// The parser of the `http` crate accepts any text in brackets and after the colon.
pub(crate) fn is_host_and_port(authority: &Authority) -> bool {
    let host = authority.host();
    let Some(port) = authority.as_str().strip_prefix(host) else { return false };
    let port = port.strip_prefix(':').unwrap_or(port);
    let is_port = port.is_empty() || is_port_number(port);
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && !host.bytes().any(|byte| matches!(byte, b'[' | b']')),
    };
    is_host && is_port
}

fn is_port_number(port: &str) -> bool {
    // `parse` accepts a sign.
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

/// Returns whether both have the same host and port. A missing port is that of the scheme.
fn is_same(host: &Authority, target: &Authority, uri: &Uri) -> bool {
    let default = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(default);
    host.host().eq_ignore_ascii_case(target.host()) && port(host) == port(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authority_is_valid_if_it_is_host_and_port() {
        for valid in ["h", "h.example:80", "[::1]:8080", "127.0.0.1", "a_b", "h:", "xn--p1ai"] {
            assert!(is_host_and_port(&valid.parse().unwrap()), "{valid}");
        }
        for invalid in
            ["u@h", "u:p@h", "h:x", "h:65536", "[::1", "[x]", "[::1]x", ":80", "a/b", "a b", "a,b/"]
        {
            let authority: Result<Authority, _> = invalid.parse();
            assert!(!authority.is_ok_and(|authority| is_host_and_port(&authority)), "{invalid}");
        }
    }
}
