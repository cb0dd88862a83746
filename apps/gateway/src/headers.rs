//! What a proxy does to headers.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, Version,
    header::{
        CONNECTION, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING,
        UPGRADE, VIA,
    },
};

/// The name in `Via` and `Proxy-Status`.
pub(crate) const NAME: &str = "seawall-gateway";

/// Fields about one connection, not for the next one: RFC 9110 §7.6.1.
const HOP_BY_HOP: [HeaderName; 9] = [
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Makes a caller's request one for the next hop.
pub(crate) fn of_request<B>(request: &mut Request<B>) {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let version = request.version();
    *request.version_mut() = Version::HTTP_11;
    let headers = request.headers_mut();
    end_hop(headers, version);
    // The client writes the upstream's own.
    if let Some(host) = headers.remove(HOST) {
        headers.insert("x-forwarded-host", host);
    }
    headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
    if let Some(peer) = peer.and_then(|peer| HeaderValue::from_str(&peer.to_string()).ok()) {
        headers.append("x-forwarded-for", peer);
    }
}

/// Makes an upstream's response one for the caller.
pub(crate) fn of_response<B>(mut response: Response<B>) -> Response<B> {
    let version = response.version();
    end_hop(response.headers_mut(), version);
    // The version is each hop's own: RFC 9110 §2.5.
    *response.version_mut() = Version::HTTP_11;
    response
}

/// HTTP/2 has no `Host`, but `:authority` in its place: RFC 9113 §8.3.1. Those who read the one get the other.
pub(crate) fn with_host<B>(mut request: Request<B>) -> Request<B> {
    let authority = request.uri().authority().map(|authority| authority.as_str().try_into());
    if let Some(Ok(host)) = authority {
        request.headers_mut().entry(HOST).or_insert(host);
    }
    request
}

/// Takes away what was for this hop only, and signs: RFC 9110 §7.6.3.
fn end_hop(headers: &mut HeaderMap, version: Version) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
    let version = match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2.0",
        _ => "1.1",
    };
    if let Ok(via) = HeaderValue::from_str(&format!("{version} {NAME}")) {
        headers.append(VIA, via);
    }
}
