//! Rewrites requests and responses between the caller and the upstream.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, Uri, Version,
    header::{
        CONNECTION, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING,
        UPGRADE, VIA,
    },
    uri::PathAndQuery,
};

/// The name in `Via` and `Proxy-Status`.
pub(crate) const GATEWAY_NAME: &str = "seawall-gateway";

/// The connection-specific headers, which a proxy removes (RFC 9110, section 7.6.1).
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

/// Prepares a caller's request for the upstream.
pub(crate) fn prepare_request<B>(request: &mut Request<B>) {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let version = request.version();
    *request.version_mut() = Version::HTTP_11;
    let headers = request.headers_mut();
    replace_hop_headers(headers, version);
    // The HTTP client behind this proxy sets `Host` from the upstream's URL.
    if let Some(host) = headers.remove(HOST) {
        headers.insert("x-forwarded-host", host);
    }
    headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
    if let Some(peer) = peer.and_then(|peer| HeaderValue::from_str(&peer.to_string()).ok()) {
        headers.append("x-forwarded-for", peer);
    }
}

/// Prepares an upstream's response for the caller.
pub(crate) fn prepare_response<B>(mut response: Response<B>) -> Response<B> {
    let version = response.version();
    replace_hop_headers(response.headers_mut(), version);
    // Each hop has its own protocol version (RFC 9110, section 2.5).
    *response.version_mut() = Version::HTTP_11;
    response
}

/// Sets `Host` of an HTTP/2 request from `:authority` (RFC 9113, section 8.3.1).
pub(crate) fn insert_host<B>(mut request: Request<B>) -> Request<B> {
    let authority = request.uri().authority().map(|authority| authority.as_str().try_into());
    if let Some(Ok(host)) = authority {
        request.headers_mut().entry(HOST).or_insert(host);
    }
    request
}

/// Returns the upstream URL for a request. Removes `/name` from the request path and appends the
/// rest to the base path.
pub(crate) fn upstream_uri(base: &Uri, name: &str, request_uri: &Uri) -> Uri {
    let rest = request_uri.path().strip_prefix('/').and_then(|path| path.strip_prefix(name));
    let base_path = base.path().trim_end_matches('/');
    let rest = rest.unwrap_or_default();
    let slash = if base_path.is_empty() && rest.is_empty() { "/" } else { "" };
    let query = request_uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path: Result<PathAndQuery, _> = format!("{base_path}{rest}{slash}{query}").parse();
    let mut parts = base.clone().into_parts();
    // `base` and `request_uri` are valid URLs. If the joined path is still invalid, the request
    // goes to `/`.
    parts.path_and_query = Some(path.unwrap_or_else(|_| PathAndQuery::from_static("/")));
    Uri::from_parts(parts).unwrap_or_else(|_| base.clone())
}

/// Removes hop-by-hop headers and appends `Via` (RFC 9110, section 7.6.3).
fn replace_hop_headers(headers: &mut HeaderMap, version: Version) {
    let connection_options: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in connection_options.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
    let version = match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2.0",
        _ => "1.1",
    };
    if let Ok(via) = HeaderValue::from_str(&format!("{version} {GATEWAY_NAME}")) {
        headers.append(VIA, via);
    }
}
