//! `DeadlineHeaderLayer`, and what the headers say.

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

use crate::support::answers;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn grpc_timeout_is_one_to_eight_digits_and_a_unit() {
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
fn envoy_s_header_is_whole_milliseconds_above_zero() {
    assert_eq!(EnvoyExpected.parse(b"1500"), Some(Duration::from_millis(1_500)));
    let most = u64::MAX.to_string();
    assert_eq!(EnvoyExpected.parse(most.as_bytes()), Some(Duration::from_millis(u64::MAX)));
    let too_many = "18446744073709551616";
    for value in ["", "0", "-1", "+1", "1.5", "1ms", " 1", "1S", "NaN", too_many] {
        assert_eq!(EnvoyExpected.parse(value.as_bytes()), None, "{value:?}");
    }
}

#[test]
fn what_is_written_is_rounded_down_but_never_zero() {
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

/// As one would write it without a thought for speed: gRPC over HTTP/2, "Requests".
fn naive(value: &[u8]) -> Option<Duration> {
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
    fn the_parser_agrees_with_a_naive_one(
        near in "[0-9]{0,10}[HMSmunhs]?[ -]?",
        any in prop::collection::vec(any::<u8>(), 0..30),
    ) {
        prop_assert_eq!(Grpc.parse(near.as_bytes()), naive(near.as_bytes()));
        prop_assert_eq!(Grpc.parse(&any), naive(&any));
        let digits = near.bytes().all(|b| b.is_ascii_digit());
        let expected = near.parse().ok().filter(|ms| digits && *ms > 0).map(Duration::from_millis);
        prop_assert_eq!(EnvoyExpected.parse(near.as_bytes()), expected);
        let _ = EnvoyExpected.parse(&any);
    }

    #[test]
    fn what_is_written_is_read_as_no_more_and_hardly_less(nanos in 1_u64.., shift in 0_u32..64) {
        let time = Duration::from_nanos((nanos >> shift).max(1));
        let read = Grpc.parse(Grpc.value(time).as_bytes()).unwrap();
        // What is cut off is less than a unit, and of those there are a hundred thousand, or it is the finest.
        prop_assert!(read <= time && time.saturating_sub(read) <= time / 100_000, "{time:?} {read:?}");
        if let Some(read) = EnvoyExpected.parse(EnvoyExpected.value(time).as_bytes()) {
            let ms = Duration::from_millis(1);
            prop_assert!(read <= time.max(ms) && time.saturating_sub(read) < ms);
        }
    }
}

/// What of the header arrives behind the layer.
async fn sent(layer: DeadlineHeaderLayer, name: &str, request: Request<()>) -> Vec<HeaderValue> {
    let echo = service_fn(async |request: Request<()>| Ok::<_, BoxError>(request));
    let request = layer.layer(echo).oneshot(request).await.unwrap();
    request.headers().get_all(name).iter().cloned().collect()
}

fn due(left: Duration) -> Request<()> {
    let mut request = Request::new(());
    request.extensions_mut().insert(Deadline::within(left));
    request
}

#[tokio::test(start_paused = true)]
async fn the_time_left_replaces_what_the_caller_sent_less_a_margin() {
    for (header, left, value) in [
        (Grpc, SECOND * 2, "1950000u"),
        (EnvoyExpected, SECOND * 2, "1950"),
        // Never more than half.
        (EnvoyExpected, Duration::from_millis(60), "30"),
        (EnvoyExpected, Duration::ZERO, "1"),
    ] {
        let mut request = due(left);
        for forged in ["99999999H", "7"] {
            request.headers_mut().append(header.as_str(), HeaderValue::from_static(forged));
        }
        let layer = DeadlineHeaderLayer::new(header);
        assert_eq!(sent(layer, header.as_str(), request).await, [value]);
    }
    let layer = DeadlineHeaderLayer::new(EnvoyExpected).margin(Duration::from_millis(300));
    assert_eq!(sent(layer, EnvoyExpected.as_str(), due(SECOND)).await, ["700"]);
    let layer = DeadlineHeaderLayer::new(EnvoyExpected).margin(Duration::ZERO);
    assert_eq!(sent(layer, EnvoyExpected.as_str(), due(SECOND)).await, ["1000"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_deadline_the_request_passes_as_it_is() {
    let layer = DeadlineHeaderLayer::new(Grpc);
    assert!(sent(layer.clone(), "grpc-timeout", Request::new(())).await.is_empty());
    let request = Request::builder().header("grpc-timeout", "5S").body(()).unwrap();
    assert_eq!(sent(layer, "grpc-timeout", request).await, ["5S"]);
}

fn told(script: &FlakyService, header: TimeoutHeader) -> Vec<Duration> {
    let received = script.received();
    let values = received.iter().map(|it| it.headers()[header.as_str()].as_bytes());
    values.map(|value| header.parse(value).unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn each_attempt_says_what_is_left_by_then() {
    for header in [Grpc, EnvoyExpected] {
        let script = answers(&[502, 502, 200]);
        let client = ServiceBuilder::new()
            .layer(DeadlineLayer::new(SECOND * 10).trust_header(header))
            .layer(RetryLayer::new().backoff(Backoff::constant(SECOND)))
            .layer(DeadlineHeaderLayer::new(header).margin(Duration::ZERO))
            .service(script.clone());
        let mut request = Request::new(Full::<Bytes>::default());
        request.headers_mut().insert(header.as_str(), header.value(SECOND * 5));
        assert_eq!(client.oneshot(request).await.unwrap().status(), 200);
        let told = told(&script, header);
        assert!(told[0] <= SECOND * 5 && told[0] > SECOND * 49 / 10, "{told:?}");
        for pair in told.windows(2) {
            let less = pair[0].checked_sub(pair[1]).unwrap();
            assert!(SECOND <= less && less < SECOND * 11 / 10, "{told:?}");
        }
        assert_eq!(told.len(), 3);
    }
}
