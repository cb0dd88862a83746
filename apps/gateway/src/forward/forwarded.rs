//! `X-Forwarded-*` and `Forwarded` (RFC 7239).

use std::{fmt::Write, net::IpAddr};

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{FORWARDED, HOST},
};

use super::client_address::X_FORWARDED_FOR;
use crate::server::Scheme;

static X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
static X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// The usual length of an element of `Forwarded`.
const ELEMENT_BYTES: usize = 128;

/// The caller's end of the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller<'a> {
    pub(super) peer: Option<IpAddr>,
    pub(super) scheme: Scheme,
    /// The path of the service at the gateway: `/NAME`.
    pub(super) prefix: &'a str,
    pub(super) is_trusted: bool,
}

/// Sets the forwarded fields. Returns the path of the service at the first trusted proxy.
///
/// The fields of a trusted proxy are kept and extended. Those of any other caller are removed, and
/// `X-Real-IP` too, which the gateway does not set.
pub(super) fn set(headers: &mut HeaderMap, caller: Caller<'_>) -> String {
    if !caller.is_trusted {
        remove(headers);
    }
    let host = headers.get(HOST).cloned();
    append_list(headers, &FORWARDED, element(host.as_ref(), caller));
    if let Some(peer) = caller.peer {
        append_list(headers, &X_FORWARDED_FOR, peer.to_string());
    }
    if let Some(host) = host {
        headers.entry(&X_FORWARDED_HOST).or_insert(host);
    }
    let proto = HeaderValue::from_static(caller.scheme.as_str());
    headers.entry(&X_FORWARDED_PROTO).or_insert(proto);
    let prefix = [outer_prefix(headers), caller.prefix].concat();
    if let Ok(value) = HeaderValue::from_str(&prefix) {
        headers.insert(&X_FORWARDED_PREFIX, value);
    }
    prefix
}

fn remove(headers: &mut HeaderMap) {
    let is_forwarded = |name: &&HeaderName| name.as_str().starts_with("x-forwarded-");
    let found: Vec<HeaderName> = headers.keys().filter(is_forwarded).cloned().collect();
    for name in found.iter().chain([&FORWARDED, &X_REAL_IP]) {
        headers.remove(name);
    }
}

/// Appends to a comma-separated list, in one field.
fn append_list(headers: &mut HeaderMap, name: &HeaderName, element: String) {
    let lines = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let mut list: Vec<&[u8]> = lines.filter(|line| !line.trim_ascii().is_empty()).collect();
    let list = if list.is_empty() {
        HeaderValue::try_from(element)
    } else {
        list.push(element.as_bytes());
        HeaderValue::from_bytes(&list.join(b", ".as_slice()))
    };
    if let Ok(list) = list {
        headers.insert(name, list);
    }
}

/// Returns the gateway's element of `Forwarded`.
fn element(host: Option<&HeaderValue>, caller: Caller<'_>) -> String {
    let mut element = String::with_capacity(ELEMENT_BYTES);
    let _ = match caller.peer {
        Some(IpAddr::V4(peer)) => write!(element, "for={peer}"),
        Some(IpAddr::V6(peer)) => write!(element, "for=\"[{peer}]\""),
        None => element.write_str("for=unknown"),
    };
    // A valid host has no quote and no backslash. Another value would need an escape.
    let host = host.and_then(|host| host.to_str().ok());
    if let Some(host) = host.filter(|host| !host.contains(['"', '\\'])) {
        element.extend([";host=\"", host, "\""]);
    }
    element + ";proto=" + caller.scheme.as_str()
}

/// Returns the prefix that the trusted proxy removed from the path.
fn outer_prefix(headers: &HeaderMap) -> &str {
    let prefix = headers.get(&X_FORWARDED_PREFIX).and_then(|prefix| prefix.to_str().ok());
    let is_path = |prefix: &&str| {
        prefix.starts_with('/') && !prefix.starts_with("//") && !prefix.contains([',', '\\', ' '])
    };
    prefix.filter(is_path).unwrap_or_default().trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    #[test]
    fn fields_contain_scheme_of_connection_and_quoted_ipv6_address() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("[::1]:8443"));
        headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
        let peer = Some(Ipv6Addr::LOCALHOST.into());
        let caller = Caller { peer, scheme: Scheme::Https, prefix: "/n", is_trusted: false };
        assert_eq!(set(&mut headers, caller), "/n");
        assert_eq!(headers["forwarded"], "for=\"[::1]\";host=\"[::1]:8443\";proto=https");
        assert_eq!(headers["x-forwarded-for"], "::1");
        assert_eq!(headers["x-forwarded-proto"], "https");
    }

    #[test]
    fn prefix_of_trusted_proxy_is_ignored_unless_it_is_path() {
        for (outer, expected) in
            [("/o", "/o/n"), ("/", "/n"), ("//host", "/n"), ("o", "/n"), ("/o, /p", "/n")]
        {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-prefix", HeaderValue::from_static(outer));
            let caller =
                Caller { peer: None, scheme: Scheme::Http, prefix: "/n", is_trusted: true };
            assert_eq!(set(&mut headers, caller), expected, "{outer}");
            assert_eq!(headers["x-forwarded-prefix"], expected);
        }
    }
}
