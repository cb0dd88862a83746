//! `X-Forwarded-*` and `Forwarded` (RFC 7239).

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{Entry, FORWARDED, HOST},
};

use super::client_address::X_FORWARDED_FOR;
use crate::server::{Peer, Scheme};

static X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
static X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// The caller's end of the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller<'a> {
    pub(super) peer: Option<&'a Peer>,
    pub(super) scheme: Scheme,
    /// The path of the service at the gateway: `/NAME`.
    pub(super) prefix: &'a HeaderValue,
    pub(super) is_trusted: bool,
}

/// Sets the forwarded fields. Returns the path of the service at the first trusted proxy.
///
/// The fields of a trusted proxy are kept and extended. Those of any other caller are removed, and
/// `X-Real-IP` too, which the gateway does not set.
pub(super) fn set(headers: &mut HeaderMap, caller: Caller<'_>) -> HeaderValue {
    if !caller.is_trusted {
        remove(headers);
    }
    let host = headers.get(HOST).cloned();
    if let Ok(element) = HeaderValue::try_from(element(host.as_ref(), caller)) {
        append_list(headers, &FORWARDED, element);
    }
    if let Some(peer) = caller.peer {
        append_list(headers, &X_FORWARDED_FOR, peer.text.clone());
    }
    if let Some(host) = host {
        headers.entry(&X_FORWARDED_HOST).or_insert(host);
    }
    headers.entry(&X_FORWARDED_PROTO).or_insert(proto(caller.scheme));
    let prefix = full_prefix(headers, caller.prefix);
    headers.insert(&X_FORWARDED_PREFIX, prefix.clone());
    prefix
}

fn proto(scheme: Scheme) -> HeaderValue {
    const HTTP: HeaderValue = HeaderValue::from_static(Scheme::Http.as_str());
    const HTTPS: HeaderValue = HeaderValue::from_static(Scheme::Https.as_str());

    match scheme {
        Scheme::Http => HTTP,
        Scheme::Https => HTTPS,
    }
}

fn remove(headers: &mut HeaderMap) {
    let is_forwarded = |name: &&HeaderName| name.as_str().starts_with("x-forwarded-");
    let found: Vec<HeaderName> = headers.keys().filter(is_forwarded).cloned().collect();
    for name in found.iter().chain([&FORWARDED, &X_REAL_IP]) {
        headers.remove(name);
    }
}

/// Appends to a comma-separated list, in one field.
fn append_list(headers: &mut HeaderMap, name: &HeaderName, element: HeaderValue) {
    let mut field = match headers.entry(name) {
        Entry::Occupied(field) => field,
        Entry::Vacant(field) => {
            field.insert(element);
            return;
        }
    };
    let lines = field.iter().map(HeaderValue::as_bytes);
    let mut list: Vec<&[u8]> = lines.filter(|line| !line.trim_ascii().is_empty()).collect();
    list.push(element.as_bytes());
    if let Ok(list) = HeaderValue::from_bytes(&list.join(b", ".as_slice())) {
        field.insert(list);
    }
}

/// Returns the gateway's element of `Forwarded`.
fn element(host: Option<&HeaderValue>, caller: Caller<'_>) -> String {
    let address = caller.peer.and_then(|peer| peer.text.to_str().ok()).unwrap_or("unknown");
    let is_ipv6 = caller.peer.is_some_and(|peer| peer.address.is_ipv6());
    let (before, after) = if is_ipv6 { ("for=\"[", "]\"") } else { ("for=", "") };
    // A valid host has no quote and no backslash. Another value would need an escape.
    let host = host.and_then(|host| host.to_str().ok());
    let host = host.filter(|host| !host.bytes().any(|byte| matches!(byte, b'"' | b'\\')));
    let (host_before, host_after) = if host.is_some() { (";host=\"", "\"") } else { ("", "") };
    let (host, proto) = (host.unwrap_or_default(), caller.scheme.as_str());
    [before, address, after, host_before, host, host_after, ";proto=", proto].concat()
}

/// Returns the own prefix after the one that the trusted proxy removed.
fn full_prefix(headers: &HeaderMap, own: &HeaderValue) -> HeaderValue {
    let outer = outer_prefix(headers);
    if outer.is_empty() {
        return own.clone();
    }
    let full = [outer.as_bytes(), own.as_bytes()].concat();
    // Infallible: both parts are valid values.
    HeaderValue::try_from(full).unwrap_or_else(|_| own.clone())
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
    use std::net::{Ipv6Addr, SocketAddr};

    use super::*;

    #[test]
    fn fields_contain_scheme_of_connection_and_quoted_ipv6_address() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("[::1]:8443"));
        headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
        let peer = Peer::from(SocketAddr::from((Ipv6Addr::LOCALHOST, 1)));
        let prefix = &HeaderValue::from_static("/n");
        let (peer, scheme) = (Some(&peer), Scheme::Https);
        let caller = Caller { peer, scheme, prefix, is_trusted: false };
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
            let prefix = &HeaderValue::from_static("/n");
            let caller = Caller { peer: None, scheme: Scheme::Http, prefix, is_trusted: true };
            assert_eq!(set(&mut headers, caller), expected, "{outer}");
            assert_eq!(headers["x-forwarded-prefix"], expected);
        }
    }
}
