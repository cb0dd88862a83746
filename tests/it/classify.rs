//! Tests of the classifiers and of the functions in `classify`.

mod waits;

use std::{error::Error, io, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Response};
use proptest::prelude::*;
use seawall::{
    BoxError, Cause, Failure, Processed, Reporter,
    classify::{
        Classify, GrpcClassifier, HttpClassifier, classify_body_error, classify_error, classify_fn,
        retry_after, should_retry,
    },
};

fn response(status: u16) -> Response<()> {
    Response::builder().status(status).body(()).unwrap()
}

fn classify_http(response: &Response<()>) -> Option<Failure> {
    HttpClassifier::new().classify(Ok(response))
}

fn classify_grpc(headers: &[(&'static str, &'static str)]) -> Option<Failure> {
    let mut response = response(200);
    response.headers_mut().extend(
        headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))),
    );
    GrpcClassifier::new().classify(Ok(&response))
}

fn header_map(name: &'static str, values: &[&str]) -> HeaderMap {
    values
        .iter()
        .map(|value| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
        .collect()
}

#[test]
fn http_classifier_returns_none_when_status_is_below_400() {
    for status in (100..400).filter(|&status| status != 101) {
        assert_eq!(classify_http(&response(status)), None, "{status}");
    }
}

#[test]
fn http_classifier_returns_failure_without_proof_from_status_400() {
    for status in 400..=999 {
        let failure = classify_http(&response(status)).unwrap();
        assert_eq!(failure.status().unwrap().as_u16(), status);
        assert_eq!(failure.reporter(), Reporter::Unknown);
        // A rate limit usually applies before the request is processed.
        let expected = if status == 429 { Processed::Unlikely } else { Processed::Maybe };
        assert_eq!(failure.processed(), expected);
    }
}

#[test]
fn statuses_have_documented_causes() {
    for (status, cause) in [
        (400, Cause::ClientError),
        (404, Cause::ClientError),
        (408, Cause::RequestTimeout),
        (409, Cause::Conflict),
        (429, Cause::RateLimited),
        (499, Cause::ClientError),
        (500, Cause::OriginError),
        (501, Cause::OriginError),
        (502, Cause::BadGateway),
        (503, Cause::Overloaded),
        (504, Cause::GatewayTimeout),
        (505, Cause::OriginError),
        (520, Cause::OriginError),
        (529, Cause::Overloaded),
        (999, Cause::OriginError),
    ] {
        assert_eq!(classify_http(&response(status)).unwrap().cause(), cause, "{status}");
    }
}

#[test]
fn http_classifier_returns_failure_of_inner_layer_unchanged() {
    let inner_failure = Failure::new(Cause::ConnectionRefused).with_processed(Processed::Unlikely);
    let mut response = response(502);
    response.extensions_mut().insert(inner_failure);
    response.headers_mut().extend(header_map("retry-after", &["1"]));
    assert_eq!(classify_http(&response), Some(inner_failure));
}

#[test]
fn http_classifier_ignores_failure_extension_of_success() {
    let mut response = response(200);
    response.extensions_mut().insert(Failure::new(Cause::ConnectionRefused));
    assert_eq!(classify_http(&response), None);
}

#[test]
fn http_classifier_reads_retry_after_and_retry_hint() {
    let mut response = response(503);
    response.headers_mut().extend(header_map("retry-after", &["7"]));
    response.headers_mut().extend(header_map("x-should-retry", &["true"]));
    let failure = classify_http(&response).unwrap();
    assert_eq!(failure.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(failure.retry_hint(), Some(true));
}

#[test]
fn retry_after_parses_seconds() {
    for (value, seconds) in [("0", 0.0), ("1", 1.0), (" 7 ", 7.0), ("120", 120.0), ("0.5", 0.5)] {
        let wait = retry_after(&header_map("retry-after", &[value]));
        assert_eq!(wait, Some(Duration::from_secs_f64(seconds)), "{value:?}");
    }
}

#[test]
fn retry_after_parses_date() {
    #[allow(clippy::disallowed_methods, reason = "a date is wall time")]
    let now = std::time::SystemTime::now();
    let date = httpdate::fmt_http_date(now + Duration::from_secs(3_600));
    let wait = retry_after(&header_map("retry-after", &[&date])).unwrap();
    assert!(wait > Duration::from_secs(3_000) && wait <= Duration::from_secs(3_600), "{wait:?}");
    let past = retry_after(&header_map("retry-after", &["Sun, 06 Nov 1994 08:49:37 GMT"]));
    assert_eq!(past, Some(Duration::ZERO));
}

#[test]
fn retry_after_caps_delay_at_one_year() {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    let long = "9".repeat(400);
    for value in ["99999999999999999999", &long, "Fri, 31 Dec 9999 23:59:59 GMT", "31536001"] {
        assert_eq!(retry_after(&header_map("retry-after", &[value])), Some(YEAR), "{value:?}");
    }
}

#[test]
fn retry_after_ignores_invalid_value() {
    for value in [
        "-1",
        "",
        " ",
        "+1",
        "1e3",
        "inf",
        "nan",
        "0x10",
        "1,2",
        "1 2",
        ".5",
        "1.2.3",
        "soon",
        "Wed, 99 Foo",
        "Wed, 99 Foo 2015 07:28:00 GMT",
        "Mon, 06 Nov 1994 08:49:37 GMT+1",
    ] {
        assert_eq!(retry_after(&header_map("retry-after", &[value])), None, "{value:?}");
    }
    let mut non_ascii = HeaderMap::new();
    non_ascii.insert("retry-after", HeaderValue::from_bytes(b"\xff\xfe1").unwrap());
    assert_eq!(retry_after(&non_ascii), None);
}

#[test]
fn retry_after_returns_longest_value_when_repeated() {
    let wait = retry_after(&header_map("retry-after", &["1", "soon", "3", "2"]));
    assert_eq!(wait, Some(Duration::from_secs(3)));
}

#[test]
fn retry_after_prefers_retry_after_ms_header() {
    let mut both = header_map("retry-after", &["9"]);
    both.extend(header_map("retry-after-ms", &["12.5"]));
    assert_eq!(retry_after(&both), Some(Duration::from_micros(12_500)));
    both.insert("retry-after-ms", HeaderValue::from_static("-5"));
    assert_eq!(retry_after(&both), Some(Duration::from_secs(9)));
}

#[test]
fn should_retry_ignores_invalid_and_contradictory_values() {
    for (values, expected) in [
        (&["true"][..], Some(true)),
        (&["false"], Some(false)),
        (&["true", "true"], Some(true)),
        (&["true", "false"], None),
        (&["yes"], None),
        (&["TRUE"], None),
        (&[""], None),
        (&[], None),
    ] {
        assert_eq!(should_retry(&header_map("x-should-retry", values)), expected, "{values:?}");
    }
}

#[test]
fn grpc_classifier_reads_status_from_head() {
    for (code, cause) in [
        ("1", Cause::Cancelled),
        ("2", Cause::OriginError),
        ("3", Cause::ClientError),
        ("4", Cause::HttpResponseTimeout),
        ("8", Cause::RateLimited),
        ("10", Cause::Conflict),
        ("13", Cause::OriginError),
        ("14", Cause::DestinationUnavailable),
        ("16", Cause::ClientError),
        ("17", Cause::Unknown),
        ("014", Cause::Unknown),
        ("", Cause::Unknown),
    ] {
        let code: &'static str = code;
        assert_eq!(classify_grpc(&[("grpc-status", code)]).unwrap().cause(), cause, "{code:?}");
    }
    assert_eq!(classify_grpc(&[("grpc-status", "0")]), None);
    assert_eq!(classify_grpc(&[]), None);
}

#[test]
fn grpc_classifier_uses_http_status_without_grpc_status() {
    let failure = GrpcClassifier::new().classify(Ok(&response(503))).unwrap();
    assert_eq!(failure.cause(), Cause::Overloaded);
}

#[test]
fn grpc_classifier_reads_pushback_as_wait_or_refusal() {
    let wait_and_hint = |value| {
        let failure =
            classify_grpc(&[("grpc-status", "14"), ("grpc-retry-pushback-ms", value)]).unwrap();
        (failure.retry_after(), failure.retry_hint())
    };
    assert_eq!(wait_and_hint("250"), (Some(Duration::from_millis(250)), Some(true)));
    assert_eq!(wait_and_hint("0"), (Some(Duration::ZERO), Some(true)));
    for value in ["-1", "", "soon", "99999999999"] {
        assert_eq!(wait_and_hint(value), (None, Some(false)), "{value:?}");
    }
}

#[test]
fn io_errors_have_documented_causes() {
    use io::ErrorKind;
    for (kind, cause, processed) in [
        (ErrorKind::ConnectionRefused, Cause::ConnectionRefused, Processed::No),
        (ErrorKind::ConnectionReset, Cause::ConnectionTerminated, Processed::Maybe),
        (ErrorKind::ConnectionAborted, Cause::ConnectionTerminated, Processed::Maybe),
        (ErrorKind::BrokenPipe, Cause::ConnectionTerminated, Processed::Maybe),
        (ErrorKind::TimedOut, Cause::HttpResponseTimeout, Processed::Maybe),
        (ErrorKind::HostUnreachable, Cause::DestinationIpUnroutable, Processed::Maybe),
        (ErrorKind::NetworkUnreachable, Cause::DestinationIpUnroutable, Processed::Maybe),
        (ErrorKind::UnexpectedEof, Cause::HttpResponseIncomplete, Processed::Maybe),
        (ErrorKind::PermissionDenied, Cause::Unknown, Processed::Maybe),
        (ErrorKind::Other, Cause::Unknown, Processed::Maybe),
    ] {
        let failure = classify_error(&io::Error::from(kind));
        assert_eq!((failure.cause(), failure.processed()), (cause, processed), "{kind:?}");
        assert_eq!(failure.reporter(), Reporter::Local);
    }
}

#[tokio::test]
async fn failed_name_lookup_is_classified_as_dns_error() {
    // RFC 2606 §2: `.invalid` never resolves.
    let error = tokio::net::lookup_host("does-not-exist.invalid:80").await.map(|_| ()).unwrap_err();
    assert_eq!(classify_error(&error).cause(), Cause::DnsError);
}

#[test]
fn unknown_os_error_is_not_classified_as_dns_error() {
    assert_eq!(classify_error(&io::Error::from_raw_os_error(i32::MAX)).cause(), Cause::Unknown);
}

#[cfg(feature = "timeout")]
#[tokio::test(start_paused = true)]
async fn tokio_timeout_is_classified_as_response_timeout() {
    let wait = tokio::time::timeout(Duration::from_secs(1), std::future::pending::<()>());
    let error = wait.await.unwrap_err();
    assert_eq!(classify_error(&error).cause(), Cause::HttpResponseTimeout);
}

#[test]
fn classify_error_finds_failure_in_source_of_custom_error() {
    #[derive(Debug)]
    struct QuotaSpent(Failure);
    impl std::fmt::Display for QuotaSpent {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("quota spent")
        }
    }
    impl Error for QuotaSpent {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }
    let failure = Failure::new(Cause::RateLimited).with_retry_hint(Some(false));
    let error: BoxError = io::Error::other(QuotaSpent(failure)).into();
    assert_eq!(classify_error(&*error), failure);
}

#[test]
fn unknown_error_may_be_processed() {
    let failure = classify_error(&std::fmt::Error);
    assert_eq!((failure.cause(), failure.processed()), (Cause::Unknown, Processed::Maybe));
}

#[test]
fn body_error_is_classified_as_incomplete_and_processed() {
    for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::UnexpectedEof, io::ErrorKind::Other]
    {
        let failure = classify_body_error(&io::Error::from(kind));
        assert_eq!(failure.cause(), Cause::HttpResponseIncomplete, "{kind:?}");
        assert_eq!(failure.processed(), Processed::Yes);
    }
    let slow = classify_body_error(&io::Error::from(io::ErrorKind::TimedOut));
    assert_eq!(slow.cause(), Cause::HttpResponseTimeout);
}

#[test]
fn classify_fn_calls_closure() {
    let classifier = classify_fn(|outcome: Result<&u8, &(dyn Error + 'static)>| {
        (*outcome.ok()? > 9).then(|| Failure::new(Cause::Overloaded))
    });
    assert_eq!(classifier.classify(Ok(&1)), None);
    assert_eq!(classifier.classify(Ok(&10)).unwrap().cause(), Cause::Overloaded);
    assert_eq!(classifier.classify(Err(&std::fmt::Error)), None);
}

proptest! {
    #[test]
    fn classifiers_do_not_panic_on_any_header_bytes(
        status in 400_u16..1_000,
        values in proptest::collection::vec((0_usize..5, proptest::collection::vec(any::<u8>(), 0..40)), 0..8),
    ) {
        let mut response = response(status);
        for (name, value) in values {
            let name = ["retry-after", "retry-after-ms", "x-should-retry", "grpc-status", "grpc-retry-pushback-ms"][name];
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                response.headers_mut().append(name, value);
            }
        }
        let failure = classify_http(&response).unwrap();
        prop_assert!(failure.retry_after().is_none_or(|wait| wait <= Duration::from_secs(365 * 24 * 60 * 60)));
        let _ = GrpcClassifier::new().classify(Ok(&response));
    }

    #[test]
    fn retry_after_parses_any_number_of_seconds(seconds in 0_u64..100_000_000) {
        let wait = retry_after(&header_map("retry-after", &[&seconds.to_string()]));
        prop_assert_eq!(wait, Some(Duration::from_secs(seconds.min(31_536_000))));
    }
}

#[cfg(feature = "hyper")]
#[tokio::test]
async fn refusal_on_established_connection_may_be_processed() {
    // TCP never does this, but a connection may use another transport.
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    let stream =
        tokio_test::io::Builder::new().write(b"GET / HTTP/1.1\r\n\r\n").read_error(refused).build();
    let stream = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::new(http_body_util::Empty::<bytes::Bytes>::new());
    let error = sender.send_request(request).await.unwrap_err();
    let failure = classify_error(&error);
    assert_eq!(failure.cause(), Cause::ConnectionRefused);
    assert_eq!(failure.processed(), Processed::Maybe);
}
