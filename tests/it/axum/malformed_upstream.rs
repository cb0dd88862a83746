//! Malformed bytes from an upstream yield a response or a classified failure, and never a panic.

use http::Response;
use proptest::{collection::vec, prelude::*, sample::select};
use scripted_origin::Script;
use seawall::{
    Cause, Failure, Processed,
    classify::{Classify, HttpClassifier, classify_body_error, retry_after},
};
use tower::ServiceExt;

use super::{Gateway, header};
use crate::support::sockets::{
    CallFailure, empty, hyper_client, origin, read, request, stack, url,
};

/// Returns the status of the gateway's response, and its error type if the gateway generated it.
async fn gateway_response(bytes: &'static [u8]) -> (u16, Option<String>) {
    let gateway = Gateway::start(Script::Raw(bytes)).await;
    let response = gateway.send("GET").await;
    let error = header(&response, "proxy-status").map(|value| {
        value.strip_prefix("edge;error=").expect("an error of the gateway `edge`").to_owned()
    });
    (response.status().as_u16(), error)
}

async fn assert_rejected(bytes: &'static [u8], cause: Cause) {
    let expected = (502, Some(cause.as_str().to_owned()));
    assert_eq!(gateway_response(bytes).await, expected, "{}", bytes.escape_ascii());
}

async fn assert_passed(bytes: &'static [u8], status: u16) {
    assert_eq!(gateway_response(bytes).await, (status, None), "{}", bytes.escape_ascii());
}

#[tokio::test]
async fn gateway_returns_protocol_error_when_head_is_malformed() {
    for bytes in [
        &b"\0\0\0\0\0\0\0\0\r\n\r\n"[..],
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 -200 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 000 Zero\r\n\r\n",
        b"HTTP/1.1 099 Below\r\n\r\n",
        b"HTTP/1.1 200 O\0K\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\x7fb\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx y: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: nameless\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: folded\r\n line\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1, 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
        // A TLS alert and HTTP/2 frames, from servers of another protocol.
        b"\x15\x03\x03\x00\x02\x02\x28",
        b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0\0\x05\0\xff\xff\xff",
    ] {
        assert_rejected(bytes, Cause::HttpProtocolError).await;
    }
}

#[tokio::test]
async fn gateway_returns_connection_terminated_when_head_is_incomplete() {
    for bytes in [&b""[..], b"H", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nx: 1\r\n"] {
        assert_rejected(bytes, Cause::ConnectionTerminated).await;
    }
}

/// hyper reports an overflow as too large, with the message of an overlong head.
#[tokio::test]
async fn gateway_returns_section_size_error_when_content_length_overflows() {
    let bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\n";
    assert_rejected(bytes, Cause::HttpResponseHeaderSectionSize).await;
}

#[tokio::test]
async fn gateway_passes_switching_protocols_response() {
    assert_passed(b"HTTP/1.1 101 Sw\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", 101).await;
}

#[tokio::test]
async fn gateway_returns_connection_terminated_after_interim_responses_only() {
    for interim in ["100 Continue", "102 Processing", "103 Early Hints"] {
        let flood = format!("HTTP/1.1 {interim}\r\n\r\n").repeat(5_000);
        assert_rejected(Vec::leak(flood.into()), Cause::ConnectionTerminated).await;
    }
}

#[tokio::test]
async fn gateway_passes_unusual_status_line() {
    assert_passed(b"HTTP/1.1 999 Beyond\r\ncontent-length: 0\r\n\r\n", 999).await;
    assert_passed(b"HTTP/1.1 600 Beyond\r\ncontent-length: 0\r\n\r\n", 600).await;
    assert_passed(b"HTTP/1.0 200\r\n\r\nto the end", 200).await;
    assert_passed(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nmore than announced", 200).await;
    assert_passed(b"HTTP/1.1 204 None\r\n\r\n", 204).await;
}

/// An invalid delay is ignored, and an excessive one stops retrying. The response passes unchanged.
#[tokio::test]
async fn gateway_passes_and_ignores_invalid_retry_after() {
    for (value, requests) in [
        ("-1", 5),
        ("", 5),
        ("soon", 5),
        ("Wed, 99 Foo 2026 25:61:61 GMT", 5),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 5),
        ("0x10", 5),
        ("NaN", 5),
        ("1e9", 5),
        ("99999999999999999999", 1),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 1),
        ("0\r\nretry-after: 86400", 1),
        ("-1\r\nretry-after: -1", 5),
    ] {
        let bytes =
            format!("HTTP/1.1 503 Busy\r\nretry-after: {value}\r\ncontent-length: 4\r\n\r\nbusy");
        let gateway = Gateway::start(Script::Raw(Vec::leak(bytes.into()))).await;
        let response = gateway.send("GET").await;
        assert_eq!(response.status(), 503);
        let sent: Vec<_> = value.split("\r\nretry-after: ").collect();
        assert!(response.headers().get_all("retry-after").iter().eq(sent), "{value:?}");
        assert_eq!(read(response).await.unwrap(), "busy");
        assert_eq!(gateway.origin.requests(), requests, "{value:?}");
    }
}

/// Generates valid and invalid pieces of responses, in any order.
fn response_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = select(vec![
        &b"HTTP/1.1 200 OK\r\n"[..],
        b"HTTP/1.1 502 Bad Gateway\r\n",
        b"HTTP/1.1 503 \xff\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.0 429 \r\n",
        b"content-length: 5\r\n",
        b"content-length: -5\r\n",
        b"transfer-encoding: chunked\r\n",
        b"transfer-encoding: gzip, chunked\r\n",
        b"retry-after: 99999999999999999999\r\n",
        b"retry-after: \xff\xfe\r\n",
        b"x-should-retry: true\r\n",
        b"proxy-status: edge;error=\r\n",
        b"connection: close\r\n",
        b"5\r\nhello\r\n",
        b"ffffffffffffffff\r\n",
        b"0\r\n\r\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\0",
        b"\xf0\x9f\x92\xa5",
    ]);
    let piece = prop_oneof![
        8 => piece.prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..32),
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Asserts that `bytes` are classified without proof that the request was not processed.
async fn assert_classified(bytes: Vec<u8>) {
    let origin = origin(Script::Raw(bytes.leak())).await;
    let call = stack(hyper_client()).oneshot(request("GET", &url(&origin), empty()));
    let response: Response<_> = match call.await {
        Ok(response) => response,
        Err(error) => {
            assert_eq!(CallFailure::from_error(&*error).processed, Processed::Maybe);
            return;
        }
    };
    let _ = retry_after(response.headers());
    let failure = HttpClassifier::new().classify(Ok(&response));
    assert_eq!(failure.is_some(), response.status().as_u16() >= 400);
    // A 429 makes processing unlikely, but proves nothing.
    let is_proof = |it: Failure| match it.processed() {
        Processed::Maybe => false,
        Processed::Unlikely => it.cause() != Cause::RateLimited,
        _ => true,
    };
    assert!(!failure.is_some_and(is_proof));
    if let Err(error) = read(response).await {
        assert_eq!(classify_body_error(&error).processed(), Processed::Yes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..<_>::default() })]

    #[test]
    fn arbitrary_bytes_yield_response_or_failure_without_proof(bytes in response_bytes()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(assert_classified(bytes));
    }
}
