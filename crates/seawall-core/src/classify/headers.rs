use std::time::{Duration, SystemTime};

use http::{
    HeaderMap, HeaderValue,
    header::{AGE, DATE, RETRY_AFTER},
};

use super::retry_info::retry_info;

/// Longer waits, and numbers too large to represent, are clamped to a year.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Reads a wait that a server requests in one form.
type ReadWait = fn(&HeaderMap) -> Option<Duration>;

/// The forms of a requested wait. The first that has a valid value counts. The more exact come
/// first: a form of the protocol, then milliseconds, then seconds.
const WAITS: &[ReadWait] = &[pushback, retry_info, retry_after_ms, retry_after_seconds];

/// Parses the wait that a server requests. The first of these that is valid counts:
///
/// - `grpc-retry-pushback-ms` (gRFC A6): milliseconds.
/// - `grpc-status-details-bin` with a `google.rpc.RetryInfo`, as Google's APIs and OTLP receivers send it.
/// - `retry-after-ms`: milliseconds, with or without a decimal fraction, as LLM APIs send it.
/// - `Retry-After` (RFC 9110 §10.2.3): seconds, or an HTTP-date. The wait until a date counts from the response's `Date`
///   plus its `Age`, or from this machine's clock if there is no `Date`; a date in the past is a wait of zero. Beyond the
///   RFC, seconds may have a decimal fraction, as LLM APIs send them.
///
/// The result is at most a year. Any other value (negative, empty, another format, not ASCII) is ignored. If a header
/// is repeated, its longest valid wait counts, since a long wait harms less than none.
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let wait = WAITS.iter().find_map(|read| read(headers))?;
    Some(wait.min(MAX_RETRY_AFTER))
}

/// Parses gRPC's pushback: a signed number of 32 bits, of which a negative one is no wait (gRFC A6, "Pushback").
pub(super) fn pushback(headers: &HeaderMap) -> Option<Duration> {
    let ms: i32 = headers.get("grpc-retry-pushback-ms")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_millis(ms.try_into().ok()?))
}

fn retry_after_ms(headers: &HeaderMap) -> Option<Duration> {
    parse_longest(headers, "retry-after-ms", |value| parse_decimal(value, 1_000.0))
}

fn retry_after_seconds(headers: &HeaderMap) -> Option<Duration> {
    parse_longest(headers, RETRY_AFTER.as_str(), |value| {
        parse_decimal(value, 1.0).or_else(|| parse_date(value, headers))
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

/// Returns the wait until a date, by the clock of the server if the response has its `Date`: a clock that is wrong by an hour
/// would otherwise lengthen or lose the wait. A cache adds `Age`, the time since that `Date` (RFC 9111 §5.1).
fn parse_date(value: &str, headers: &HeaderMap) -> Option<Duration> {
    let until = httpdate::parse_http_date(value).ok()?;
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let now = match header(DATE).and_then(|date| httpdate::parse_http_date(date.trim()).ok()) {
        Some(sent) => {
            let age = header(AGE).and_then(|age| age.trim().parse().ok()).map(Duration::from_secs);
            sent.checked_add(age.unwrap_or_default()).unwrap_or(until)
        }
        #[allow(clippy::disallowed_methods, reason = "the one place: an HTTP-date is wall time")]
        None => SystemTime::now(),
    };
    Some(until.duration_since(now).unwrap_or_default())
}
