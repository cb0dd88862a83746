//! Whether a request comes from a page of this server, and not from another site that wants a button pressed.

use std::net::IpAddr;

use axum::http::{
    HeaderMap,
    header::{HOST, ORIGIN},
    uri::Authority,
};

/// A browser says so itself, by Fetch Metadata (`Sec-Fetch-Site`) or by `Origin`; at least one must be there, and both
/// must agree. `Host` must be an address or `localhost`: a name could be anybody's that was made to lead here.
pub(super) fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |value: &axum::http::HeaderValue| value.to_str().ok().map(str::to_owned);
    let Some(host) = headers.get(HOST).and_then(text) else { return false };
    let site = headers.get("sec-fetch-site").map(|site| site == "same-origin");
    let origin = headers.get(ORIGIN).map(|origin| *origin == format!("http://{host}")[..]);
    is_address(&host) && site.or(origin).is_some() && site != Some(false) && origin != Some(false)
}

/// Whether what the page is told may be read: under an address, by whatever is no foreign page.
pub(crate) fn may_watch(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let site = headers.get("sec-fetch-site");
    host.is_some_and(is_address) && site.is_none_or(|site| site == "same-origin" || site == "none")
}

fn is_address(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let host = authority.host();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}
