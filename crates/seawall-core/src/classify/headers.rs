use std::time::{Duration, SystemTime};

use http::{HeaderMap, header::RETRY_AFTER};

/// Longer waits, and numbers too large to represent, are clamped to a year.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Parses the wait that a server asks for: `retry-after-ms` if it has a valid value, else `Retry-After`.
///
/// - `retry-after-ms`: milliseconds, with or without a decimal fraction, as LLM APIs send it.
/// - `Retry-After` (RFC 9110 §10.2.3): seconds, or an HTTP-date; a date in the past is a wait of zero. Beyond the RFC,
///   seconds may have a decimal fraction, as LLM APIs send them.
///
/// The result is at most a year. Any other value (negative, empty, another format, not ASCII) is ignored. Of a repeated header
/// the longest valid wait counts, since a long wait harms less than none.
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    parse_longest(headers, "retry-after-ms", |value| parse_decimal(value, 1_000.0)).or_else(|| {
        parse_longest(headers, RETRY_AFTER.as_str(), |value| {
            parse_decimal(value, 1.0).or_else(|| parse_date(value))
        })
    })
}

/// Parses the explicit retry hint of a server: `x-should-retry: true` or `false`.
///
/// Other values, and values that contradict each other, are ignored.
#[must_use]
pub fn should_retry(headers: &HeaderMap) -> Option<bool> {
    let mut hints = headers.get_all("x-should-retry").iter().map(|value| match value.as_bytes() {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    });
    let first = hints.next()??;
    hints.all(|hint| hint == Some(first)).then_some(first)
}

fn parse_longest(
    headers: &HeaderMap,
    name: &str,
    parse: impl Fn(&str) -> Option<Duration>,
) -> Option<Duration> {
    let values = headers.get_all(name).iter();
    values.filter_map(|value| parse(value.to_str().ok()?.trim())).max()
}

/// Parses digits with at most one point, in units of which `per_second` are a second. `f64::from_str` alone would also accept
/// signs, exponents, `inf` and `nan`.
fn parse_decimal(value: &str, per_second: f64) -> Option<Duration> {
    let plain = value.starts_with(|c: char| c.is_ascii_digit())
        && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = value.parse().ok().filter(|_| plain)?;
    // Digits parse to a finite number or to infinity; both are clamped.
    Some(Duration::from_secs_f64((number / per_second).min(MAX_RETRY_AFTER.as_secs_f64())))
}

fn parse_date(value: &str) -> Option<Duration> {
    let date = httpdate::parse_http_date(value).ok()?;
    #[allow(clippy::disallowed_methods, reason = "the one place: an HTTP-date is wall time")]
    let now = SystemTime::now();
    Some(date.duration_since(now).unwrap_or_default().min(MAX_RETRY_AFTER))
}
