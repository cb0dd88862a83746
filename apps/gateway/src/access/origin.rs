//! The page that sent a request.
//!
//! A browser names it in `Origin` and `Sec-Fetch-Site`. A page is foreign if one of them names
//! another origin than that of `Host`, or if `Origin` is `null`. Other programs send neither.
//!
//! A foreign page can also reach the gateway under its own name, if the name resolves to the
//! gateway's address (DNS rebinding). So where no token is required, `Host` must be an IP address
//! or `localhost`.

use std::net::IpAddr;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{HOST, ORIGIN},
    uri::Authority,
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Returns whether the page of another origin sent the request.
pub(super) fn is_foreign(headers: &HeaderMap) -> bool {
    let site_is_foreign = |site: &HeaderValue| site != "same-origin" && site != "none";
    headers.get_all(SEC_FETCH_SITE).iter().any(site_is_foreign)
        || headers.get_all(ORIGIN).iter().any(|origin| !is_own(origin, headers))
}

/// Returns whether a browser states that a page of this server sent the request.
pub(super) fn is_same_origin(headers: &HeaderMap) -> bool {
    let states_site = headers.get(SEC_FETCH_SITE).is_some_and(|site| site == "same-origin");
    !is_foreign(headers) && (states_site || headers.contains_key(ORIGIN))
}

/// Returns whether the request opens a page in a tab, for example by a link on another page. The
/// other page cannot read the response.
pub(super) fn is_navigation(method: &Method, headers: &HeaderMap) -> bool {
    let is = |name: &str, expected: &str| headers.get(name).is_some_and(|value| value == expected);
    *method == Method::GET
        && !headers.contains_key(ORIGIN)
        && is("sec-fetch-mode", "navigate")
        && is("sec-fetch-dest", "document")
}

/// Returns whether `Host` is an IP address or `localhost`.
pub(super) fn host_is_ip_or_localhost(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let Some(Ok(authority)) = host.map(str::parse::<Authority>) else { return false };
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}

/// Returns whether an origin has the host and the port of `Host`. The scheme may differ, because a
/// proxy in front of the gateway may add TLS.
fn is_own(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let authority = |origin: &HeaderValue| {
        let origin = origin.to_str().ok()?;
        let (scheme, authority) = origin.split_once("://")?;
        matches!(scheme, "http" | "https").then(|| authority.to_owned())
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    match (authority(origin), host) {
        (Some(authority), Some(host)) => authority.eq_ignore_ascii_case(host),
        _ => false,
    }
}
