//! Fields that change between two versions of HTTP, and `Via`.

use http::{
    HeaderMap, HeaderValue, Version,
    header::{COOKIE, EXPECT, VIA},
};

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
    headers.append(VIA, via(version));
}

fn via(version: Version) -> HeaderValue {
    const HTTP_10: HeaderValue = HeaderValue::from_static("1.0 seawall-gateway");
    const HTTP_11: HeaderValue = HeaderValue::from_static("1.1 seawall-gateway");
    const HTTP_2: HeaderValue = HeaderValue::from_static("2.0 seawall-gateway");

    match version {
        Version::HTTP_10 => HTTP_10,
        Version::HTTP_2 => HTTP_2,
        _ => HTTP_11,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::GATEWAY_NAME;

    #[test]
    fn via_has_version_and_name() {
        let versions =
            [(Version::HTTP_10, "1.0"), (Version::HTTP_11, "1.1"), (Version::HTTP_2, "2.0")];
        for (version, number) in versions {
            assert_eq!(via(version), format!("{number} {GATEWAY_NAME}"));
        }
    }
}
