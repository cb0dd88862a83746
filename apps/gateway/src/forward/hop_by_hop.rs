//! The fields of one connection, which a proxy removes (RFC 9110 §7.6.1).

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, FORWARDED, HOST, PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE, VIA,
    },
};

/// `Trailer` is not among them: it announces the trailers, which the gateway forwards.
static HOP_BY_HOP: [HeaderName; 9] = [
    HeaderName::from_static("http2-settings"),
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The fields that `Connection` cannot remove, because a sender must not list them.
///
/// They are the host, the framing, and the fields that proxies and caches depend on. All other
/// listed fields are removed, for example `Authorization` and `Idempotency-Key`.
static END_TO_END: [HeaderName; 8] = [
    CACHE_CONTROL,
    CONTENT_LENGTH,
    FORWARDED,
    HOST,
    VIA,
    HeaderName::from_static("max-forwards"),
    HeaderName::from_static("pragma"),
    HeaderName::from_static("expires"),
];

const FORWARDED_PREFIX: &str = "x-forwarded-";

/// Removes the hop-by-hop fields and those that `Connection` lists. Keeps `TE: trailers`.
///
/// A listed `Idempotency-Key` is removed, so it must not make a request repeatable either. So this
/// step precedes the retry.
pub(super) fn remove(headers: &mut HeaderMap) {
    // Most messages have none of them.
    if !headers.keys().any(|name| HOP_BY_HOP.contains(name)) {
        return;
    }
    // hyper and this gateway set the fields of their own connection.
    let accepts_trailers = has_option(headers, &TE, "trailers");
    let listed: Vec<HeaderName> =
        options(headers, &CONNECTION).filter_map(|option| option.parse().ok()).collect();
    for name in listed.iter().filter(|name| !is_end_to_end(name)).chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
    if accepts_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

/// Returns whether a list contains the option, in any case.
pub(super) fn has_option(headers: &HeaderMap, name: &HeaderName, option: &str) -> bool {
    options(headers, name).any(|found| found.eq_ignore_ascii_case(option))
}

fn options<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|option| option.trim_matches([' ', '\t']))
}

fn is_end_to_end(name: &HeaderName) -> bool {
    name.as_str().starts_with(FORWARDED_PREFIX) || END_TO_END.contains(name)
}
