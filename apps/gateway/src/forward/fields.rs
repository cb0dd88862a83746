//! Fields that change between two versions of HTTP, and `Via`.

use http::{
    HeaderMap, HeaderValue, Version,
    header::{COOKIE, EXPECT, VIA},
};

use super::GATEWAY_NAME;

/// Joins the cookies, which HTTP/2 may split into several fields (RFC 9113 §8.2.3).
pub(super) fn join_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if cookies.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&cookies.join(b"; ".as_slice()))
    {
        headers.insert(COOKIE, joined);
    }
}

/// Removes `Expect` of an HTTP/1.0 request, which a server ignores (RFC 9110 §10.1.1).
pub(super) fn remove_ignored_expectation(headers: &mut HeaderMap, version: Version) {
    if version < Version::HTTP_11 {
        headers.remove(EXPECT);
    }
}

/// Appends `Via` with the version of the received message (RFC 9110 §7.6.3).
pub(super) fn append_via(headers: &mut HeaderMap, version: Version) {
    let version = match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2.0",
        _ => "1.1",
    };
    if let Ok(via) = HeaderValue::from_str(&format!("{version} {GATEWAY_NAME}")) {
        headers.append(VIA, via);
    }
}
