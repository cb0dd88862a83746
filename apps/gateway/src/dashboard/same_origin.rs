//! Protection against cross-site requests and DNS rebinding.

use std::net::IpAddr;

use axum::http::{
    HeaderMap,
    header::{HOST, ORIGIN},
    uri::Authority,
};

/// Returns whether a page of this server sent the request.
///
/// A browser sends `Sec-Fetch-Site` or `Origin`. At least one must be present, and none may name
/// another origin. `Host` must be an IP address or `localhost`, because any domain name can resolve
/// to this server.
pub(super) fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |value: &axum::http::HeaderValue| value.to_str().ok().map(str::to_owned);
    let Some(host) = headers.get(HOST).and_then(text) else { return false };
    let site_matches = headers.get("sec-fetch-site").map(|site| site == "same-origin");
    let origin_matches = headers.get(ORIGIN).map(|origin| *origin == format!("http://{host}")[..]);
    is_ip_or_localhost(&host)
        && site_matches.or(origin_matches).is_some()
        && site_matches != Some(false)
        && origin_matches != Some(false)
}

/// Returns whether the request came from a page of this server, from the address bar of a browser,
/// or from a client that is not a browser.
pub(crate) fn is_not_cross_site(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let site = headers.get("sec-fetch-site");
    host.is_some_and(is_ip_or_localhost)
        && site.is_none_or(|site| site == "same-origin" || site == "none")
}

fn is_ip_or_localhost(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}
