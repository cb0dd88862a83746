//! Waits that depend on other headers, or come from gRPC.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use seawall::classify::retry_after;

use super::*;

const URL: &[u8] = b"type.googleapis.com/google.rpc.RetryInfo";

fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    let field = |&(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    };
    fields.iter().map(field).collect()
}

#[test]
fn retry_after_date_counts_from_date_of_response() {
    let until = ("retry-after", "Sun, 06 Nov 1994 08:50:00 GMT");
    for (date, age, seconds) in [
        ("Sun, 06 Nov 1994 08:49:37 GMT", None, 23),
        (" Sun, 06 Nov 1994 08:49:37 GMT ", None, 23),
        // The clock of the server is ahead of ours by decades.
        ("Sun, 06 Nov 2061 08:49:37 GMT", None, 0),
        ("Sun, 06 Nov 1994 08:51:00 GMT", None, 0),
        // From a cache.
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some("20"), 3),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some("60"), 0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some("18446744073709551615"), 0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some("soon"), 23),
        // Invalid, so our clock counts.
        ("today", None, 0),
    ] {
        let age = age.map(|age| ("age", age));
        let fields: Vec<_> = [until, ("date", date)].into_iter().chain(age).collect();
        let wait = retry_after(&headers(&fields));
        assert_eq!(wait, Some(Duration::from_secs(seconds)), "{fields:?}");
    }
    let far = headers(&[
        ("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ]);
    assert_eq!(retry_after(&far), Some(Duration::from_secs(365 * 24 * 60 * 60)));
}

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

/// Encodes a `google.protobuf.Any`.
fn any_message(url: &[u8], value: &[u8]) -> Vec<u8> {
    [field(1, url), field(2, value)].concat()
}

/// Encodes a `google.rpc.Status` of code 8 in base64.
fn status(details: &[Vec<u8>]) -> String {
    let details: Vec<u8> = details.iter().flat_map(|any| field(3, any)).collect();
    STANDARD.encode([vec![0x08, 8], field(2, b"busy"), details].concat())
}

fn wait_of(details: &[Vec<u8>]) -> Option<Duration> {
    retry_after(&headers(&[("grpc-status-details-bin", &status(details))]))
}

#[test]
fn retry_info_is_read_among_other_details() {
    let seconds = |seconds| any_message(URL, &field(1, &[0x08, seconds]));
    let quota = any_message(b"type.googleapis.com/google.rpc.QuotaFailure", &field(1, b"x"));
    assert_eq!(wait_of(&[quota.clone(), seconds(2)]), Some(Duration::from_secs(2)));
    // The longest counts.
    assert_eq!(wait_of(&[seconds(2), seconds(9), seconds(3)]), Some(Duration::from_secs(9)));
    // Nanoseconds, and a field that is not known.
    let delay = field(1, &[0x10, 0x80, 0xca, 0xb5, 0xee, 0x01, 0x1d, 1, 2, 3, 4]);
    assert_eq!(wait_of(&[any_message(URL, &delay)]), Some(Duration::from_millis(500)));
    assert_eq!(wait_of(&[quota]), None);
    assert_eq!(wait_of(&[]), None);
}

#[test]
fn retry_info_is_ignored_when_invalid() {
    for delay in [
        // -1 s and -1 ns.
        [&[0x08][..], &[0xff; 9], &[0x01]].concat(),
        [&[0x10][..], &[0xff; 9], &[0x01]].concat(),
        // A nanosecond too many for a second.
        vec![0x10, 0x80, 0x94, 0xeb, 0xdc, 0x03],
    ] {
        assert_eq!(wait_of(&[any_message(URL, &field(1, &delay))]), None, "{delay:?}");
    }
    // A `RetryInfo` without a delay.
    assert_eq!(wait_of(&[any_message(URL, &[])]), None);
    let long = "A".repeat(100_000);
    for value in ["", "=", "A", "AAAAA", "!", "CAg=CAg", &long] {
        assert_eq!(retry_after(&headers(&[("grpc-status-details-bin", value)])), None, "{value}");
    }
    let delay = [&[0x08][..], &[0xff; 8], &[0x7f]].concat();
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    assert_eq!(wait_of(&[any_message(URL, &field(1, &delay))]), Some(year));
}

#[test]
fn pushback_takes_precedence_over_retry_info() {
    let details = status(&[any_message(URL, &field(1, &[0x08, 2]))]);
    let classify = |pushback: Option<&str>| {
        let pushback = pushback.map(|value| ("grpc-retry-pushback-ms", value));
        let fields = [("grpc-status", "14"), ("grpc-status-details-bin", &*details)];
        let fields: Vec<_> = fields.into_iter().chain(pushback).collect();
        let mut response = response(200);
        *response.headers_mut() = headers(&fields);
        let failure = GrpcClassifier::new().classify(Ok(&response)).unwrap();
        (failure.retry_after(), failure.retry_hint())
    };
    assert_eq!(classify(None), (Some(Duration::from_secs(2)), None));
    assert_eq!(classify(Some("50")), (Some(Duration::from_millis(50)), Some(true)));
    assert_eq!(classify(Some("-1")), (None, Some(false)));
}

proptest! {
    #[test]
    fn retry_after_accepts_any_details(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        prefix in 0_usize..60,
    ) {
        let retry_info = status(&[any_message(URL, &field(1, &[0x08, 2]))]);
        let retry_info = STANDARD.decode(retry_info).unwrap();
        let kept = &retry_info[..prefix.min(retry_info.len())];
        let value = STANDARD.encode([kept, &bytes].concat());
        let wait = retry_after(&headers(&[("grpc-status-details-bin", &value)]));
        prop_assert!(wait.is_none_or(|wait| wait <= Duration::from_secs(365 * 24 * 60 * 60)));
    }
}
