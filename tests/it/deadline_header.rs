//! Tests of `DeadlineHeaderLayer` and of the header formats.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::Full;
use proptest::prelude::*;
use seawall::{
    BoxError, Deadline,
    deadline::{
        DeadlineHeaderLayer, DeadlineLayer,
        TimeoutHeader::{self, EnvoyExpected, Grpc},
    },
    retry::{Backoff, RetryLayer},
    test_util::FlakyService,
};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use crate::support::respond_with;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn grpc_timeout_parses_one_to_eight_digits_and_unit() {
    for (value, time) in [
        ("1H", SECOND * 3_600),
        ("2M", SECOND * 120),
        ("3S", SECOND * 3),
        ("4m", Duration::from_millis(4)),
        ("5u", Duration::from_micros(5)),
        ("6n", Duration::from_nanos(6)),
        ("00000007S", SECOND * 7),
        ("0n", Duration::ZERO),
        ("99999999H", Duration::from_secs(99_999_999 * 3_600)),
        ("99999999n", Duration::from_nanos(99_999_999)),
    ] {
        assert_eq!(Grpc.parse(value.as_bytes()), Some(time), "{value}");
    }
    for value in [
        "",
        "S",
        "1",
        "-1S",
        "+1S",
        "1 S",
        " 1S",
        "1S ",
        "1s",
        "1h",
        "1.5S",
        "000000001S",
        "1SS",
        "1,2S",
        "0x1S",
        "1e3S",
        "\u{664}S",
        "infinite",
    ] {
        assert_eq!(Grpc.parse(value.as_bytes()), None, "{value:?}");
    }
}

#[test]
fn envoy_timeout_parses_positive_whole_milliseconds() {
    assert_eq!(EnvoyExpected.parse(b"1500"), Some(Duration::from_millis(1_500)));
    let max = u64::MAX.to_string();
    assert_eq!(EnvoyExpected.parse(max.as_bytes()), Some(Duration::from_millis(u64::MAX)));
    let above_max = "18446744073709551616";
    for value in ["", "0", "-1", "+1", "1.5", "1ms", " 1", "1S", "NaN", above_max] {
        assert_eq!(EnvoyExpected.parse(value.as_bytes()), None, "{value:?}");
    }
}

#[test]
fn header_value_rounds_down_and_is_never_zero() {
    for (time, grpc, envoy) in [
        (Duration::ZERO, "1n", "1"),
        (Duration::from_nanos(99_999_999), "99999999n", "99"),
        (Duration::from_nanos(100_000_999), "100000u", "100"),
        (Duration::from_millis(9_950), "9950000u", "9950"),
        (SECOND * 3_600, "3600000m", "3600000"),
        (Duration::MAX, "99999999H", "18446744073709551615"),
    ] {
        assert_eq!(Grpc.value(time), grpc);
        assert_eq!(EnvoyExpected.value(time), envoy);
    }
}

/// A reference parser, written after section "Requests" of the gRPC over HTTP/2 specification.
fn reference_parse(value: &[u8]) -> Option<Duration> {
    let text = String::from_utf8(value.to_vec()).ok()?;
    let unit = text.chars().last()?;
    let digits: String = text.chars().take(text.chars().count() - 1).collect();
    if !(1..=8).contains(&digits.len()) || digits.chars().any(|c| !"0123456789".contains(c)) {
        return None;
    }
    let count: u32 = digits.parse().unwrap();
    Some(match unit {
        'H' => SECOND * 60 * 60 * count,
        'M' => SECOND * 60 * count,
        'S' => SECOND * count,
        'm' => Duration::from_millis(1) * count,
        'u' => Duration::from_micros(1) * count,
        'n' => Duration::from_nanos(1) * count,
        _ => return None,
    })
}

proptest! {
    #[test]
    fn parser_agrees_with_reference(
        almost_valid in "[0-9]{0,10}[HMSmunhs]?[ -]?",
        bytes in prop::collection::vec(any::<u8>(), 0..30),
    ) {
        let expected = reference_parse(almost_valid.as_bytes());
        prop_assert_eq!(Grpc.parse(almost_valid.as_bytes()), expected);
        prop_assert_eq!(Grpc.parse(&bytes), reference_parse(&bytes));
        let is_number = almost_valid.bytes().all(|b| b.is_ascii_digit());
        let millis = almost_valid.parse().ok().filter(|ms| is_number && *ms > 0);
        let expected = millis.map(Duration::from_millis);
        prop_assert_eq!(EnvoyExpected.parse(almost_valid.as_bytes()), expected);
        let _ = EnvoyExpected.parse(&bytes);
    }

    #[test]
    fn parsed_value_is_at_most_and_about_written_timeout(nanos in 1_u64.., shift in 0_u32..64) {
        let time = Duration::from_nanos((nanos >> shift).max(1));
        let parsed = Grpc.parse(Grpc.value(time).as_bytes()).unwrap();
        // Rounding loses less than a unit of at least 100,000, or nothing.
        prop_assert!(
            parsed <= time && time.saturating_sub(parsed) <= time / 100_000,
            "expected about {time:?}, found {parsed:?}"
        );
        if let Some(parsed) = EnvoyExpected.parse(EnvoyExpected.value(time).as_bytes()) {
            let ms = Duration::from_millis(1);
            prop_assert!(parsed <= time.max(ms) && time.saturating_sub(parsed) < ms);
        }
    }
}

/// Returns the values of the header `name` behind `layer`.
async fn sent_values(
    layer: DeadlineHeaderLayer,
    name: &str,
    request: Request<()>,
) -> Vec<HeaderValue> {
    let echo = service_fn(async |request: Request<()>| Ok::<_, BoxError>(request));
    let request = layer.layer(echo).oneshot(request).await.unwrap();
    request.headers().get_all(name).iter().cloned().collect()
}

fn with_deadline(timeout: Duration) -> Request<()> {
    let mut request = Request::new(());
    request.extensions_mut().insert(Deadline::within(timeout));
    request
}

#[tokio::test(start_paused = true)]
async fn header_layer_replaces_header_with_remaining_time_minus_margin() {
    for (header, timeout, value) in [
        (Grpc, SECOND * 2, "1950000u"),
        (EnvoyExpected, SECOND * 2, "1950"),
        // The margin is at most half of the remaining time.
        (EnvoyExpected, Duration::from_millis(60), "30"),
        (EnvoyExpected, Duration::ZERO, "1"),
    ] {
        let mut request = with_deadline(timeout);
        for forged in ["99999999H", "7"] {
            request.headers_mut().append(header.as_str(), HeaderValue::from_static(forged));
        }
        let layer = DeadlineHeaderLayer::new(header);
        assert_eq!(sent_values(layer, header.as_str(), request).await, [value]);
    }
    let layer = DeadlineHeaderLayer::new(EnvoyExpected).margin(Duration::from_millis(300));
    assert_eq!(sent_values(layer, EnvoyExpected.as_str(), with_deadline(SECOND)).await, ["700"]);
    let layer = DeadlineHeaderLayer::new(EnvoyExpected).margin(Duration::ZERO);
    assert_eq!(sent_values(layer, EnvoyExpected.as_str(), with_deadline(SECOND)).await, ["1000"]);
}

#[tokio::test(start_paused = true)]
async fn header_layer_passes_request_unchanged_without_deadline() {
    let layer = DeadlineHeaderLayer::new(Grpc);
    assert!(sent_values(layer.clone(), "grpc-timeout", Request::new(())).await.is_empty());
    let request = Request::builder().header("grpc-timeout", "5S").body(()).unwrap();
    assert_eq!(sent_values(layer, "grpc-timeout", request).await, ["5S"]);
}

fn received_timeouts(script: &FlakyService, header: TimeoutHeader) -> Vec<Duration> {
    let received = script.received();
    let values = received.iter().map(|request| request.headers()[header.as_str()].as_bytes());
    values.map(|value| header.parse(value).unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn each_attempt_sends_remaining_time() {
    for header in [Grpc, EnvoyExpected] {
        let script = respond_with(&[502, 502, 200]);
        let client = ServiceBuilder::new()
            .layer(DeadlineLayer::new(SECOND * 10).trust_header(header))
            .layer(RetryLayer::new().backoff(Backoff::constant(SECOND)))
            .layer(DeadlineHeaderLayer::new(header).margin(Duration::ZERO))
            .service(script.clone());
        let mut request = Request::new(Full::<Bytes>::default());
        request.headers_mut().insert(header.as_str(), header.value(SECOND * 5));
        assert_eq!(client.oneshot(request).await.unwrap().status(), 200);
        let timeouts = received_timeouts(&script, header);
        assert!(timeouts[0] <= SECOND * 5 && timeouts[0] > SECOND * 49 / 10, "{timeouts:?}");
        for pair in timeouts.windows(2) {
            let difference = pair[0].checked_sub(pair[1]).unwrap();
            assert!(SECOND <= difference && difference < SECOND * 11 / 10, "{timeouts:?}");
        }
        assert_eq!(timeouts.len(), 3);
    }
}
