use std::time::{Duration, SystemTime};

use http::{HeaderMap, header::RETRY_AFTER};

/// The longest wait that is believed: a year. Longer ones, and numbers too large to hold, are cut to it.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How long a server asks to wait: `retry-after-ms` if it has a valid value, else `Retry-After`.
///
/// - `retry-after-ms`: milliseconds, with or without a decimal fraction, as LLM APIs send it.
/// - `Retry-After` (RFC 9110 §10.2.3): seconds, or an HTTP-date; a date that has passed is a wait of zero. Beyond
///   the RFC, seconds may have a decimal fraction, as LLM APIs send them.
///
/// The result is at most a year. A value that is none of these (negative, empty, another format, not ASCII) is
/// ignored; of a repeated header the longest valid wait counts, since waiting too long harms less than not waiting.
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    longest(headers, "retry-after-ms", |value| decimal(value, 1_000.0)).or_else(|| {
        longest(headers, RETRY_AFTER.as_str(), |value| decimal(value, 1.0).or_else(|| date(value)))
    })
}

/// A server's explicit word on whether to repeat the request: `x-should-retry: true` or `false`.
///
/// Anything else, or values that contradict each other, is no word.
#[must_use]
pub fn should_retry(headers: &HeaderMap) -> Option<bool> {
    let mut words = headers.get_all("x-should-retry").iter().map(|value| match value.as_bytes() {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    });
    let first = words.next()??;
    words.all(|word| word == Some(first)).then_some(first)
}

fn longest(
    headers: &HeaderMap,
    name: &str,
    parse: impl Fn(&str) -> Option<Duration>,
) -> Option<Duration> {
    let values = headers.get_all(name).iter();
    values.filter_map(|value| parse(value.to_str().ok()?.trim())).max()
}

/// Digits with at most one point among them, `per_second` of which make a second. `f64::from_str` alone would also
/// take signs, exponents, `inf` and `nan`.
fn decimal(value: &str, per_second: f64) -> Option<Duration> {
    let plain = value.starts_with(|c: char| c.is_ascii_digit())
        && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = value.parse().ok().filter(|_| plain)?;
    // Any run of digits is a finite number or infinity; both are cut to the longest wait.
    Some(Duration::from_secs_f64((number / per_second).min(LONGEST.as_secs_f64())))
}

fn date(value: &str) -> Option<Duration> {
    let date = httpdate::parse_http_date(value).ok()?;
    #[allow(clippy::disallowed_methods, reason = "the one place: an HTTP-date is wall time")]
    let now = SystemTime::now();
    Some(date.duration_since(now).unwrap_or_default().min(LONGEST))
}
