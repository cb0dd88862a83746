//! Malformed bytes from an upstream give a response or a classified failure, without a panic.

use http::Response;
use proptest::{collection::vec, prelude::*, sample::select};
use scripted_origin::Script;
use seawall::{
    Cause, Classify, Failure, HttpClassifier, Processed,
    classify::{classify_body_error, retry_after},
};
use tower::ServiceExt;

use super::{Gateway, header};
use crate::support::sockets::{Verdict, empty, hyper, origin, read, request, stack, url};

/// The status that the gateway returns, and its error if the response is its own.
async fn answer(bytes: &'static [u8]) -> (u16, Option<String>) {
    let gateway = Gateway::start(Script::Raw(bytes)).await;
    let response = gateway.ask("GET").await;
    let error = header(&response, "proxy-status")
        .map(|value| value.strip_prefix("edge;error=").expect("ours").to_owned());
    (response.status().as_u16(), error)
}

async fn is_refused(bytes: &'static [u8], cause: Cause) {
    let expected = (502, Some(cause.as_str().to_owned()));
    assert_eq!(answer(bytes).await, expected, "{}", bytes.escape_ascii());
}

async fn passes(bytes: &'static [u8], status: u16) {
    assert_eq!(answer(bytes).await, (status, None), "{}", bytes.escape_ascii());
}

#[tokio::test]
async fn malformed_head_is_protocol_error() {
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
        // TLS's alert, HTTP/2's preface: another protocol on this port.
        b"\x15\x03\x03\x00\x02\x02\x28",
        b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0\0\x05\0\xff\xff\xff",
    ] {
        is_refused(bytes, Cause::HttpProtocolError).await;
    }
}

#[tokio::test]
async fn endless_head_is_terminated_connection() {
    for bytes in [&b""[..], b"H", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nx: 1\r\n"] {
        is_refused(bytes, Cause::ConnectionTerminated).await;
    }
}

/// hyper reports it as too large, with the text of an overlong head.
#[tokio::test]
async fn content_length_overflow_is_classified_by_size() {
    let bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\n";
    is_refused(bytes, Cause::HttpResponseHeaderSectionSize).await;
}

#[tokio::test]
async fn switching_protocols_response_passes() {
    passes(b"HTTP/1.1 101 Sw\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", 101).await;
}

#[tokio::test]
async fn flood_of_interim_responses_is_not_final_response() {
    for interim in ["100 Continue", "102 Processing", "103 Early Hints"] {
        let flood = format!("HTTP/1.1 {interim}\r\n\r\n").repeat(5_000);
        is_refused(Vec::leak(flood.into()), Cause::ConnectionTerminated).await;
    }
}

#[tokio::test]
async fn unusual_status_line_passes() {
    passes(b"HTTP/1.1 999 Beyond\r\ncontent-length: 0\r\n\r\n", 999).await;
    passes(b"HTTP/1.1 600 Beyond\r\ncontent-length: 0\r\n\r\n", 600).await;
    passes(b"HTTP/1.0 200\r\n\r\nto the end", 200).await;
    passes(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nmore than announced", 200).await;
    passes(b"HTTP/1.1 204 None\r\n\r\n", 204).await;
}

/// An invalid delay is ignored, and an excessive one stops retrying. The response passes unchanged.
#[tokio::test]
async fn nonsensical_retry_after_passes_and_is_ignored() {
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
        let response = gateway.ask("GET").await;
        assert_eq!(response.status(), 503);
        let sent: Vec<_> = value.split("\r\nretry-after: ").collect();
        assert!(response.headers().get_all("retry-after").iter().eq(sent), "{value:?}");
        assert_eq!(read(response).await.unwrap(), "busy");
        assert_eq!(gateway.origin.requests(), requests, "{value:?}");
    }
}

/// Valid and invalid pieces of responses, in any order.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
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

/// Classifies the bytes, without a gateway.
async fn conclude(bytes: Vec<u8>) {
    let origin = origin(Script::Raw(bytes.leak())).await;
    let call = stack(hyper()).oneshot(request("GET", &url(&origin), empty()));
    let response: Response<_> = match call.await {
        Ok(response) => response,
        Err(error) => {
            assert_eq!(Verdict::of(&*error).processed, Processed::Maybe);
            return;
        }
    };
    let _ = retry_after(response.headers());
    let failure = HttpClassifier::new().classify(Ok(&response));
    assert_eq!(failure.is_some(), response.status().as_u16() >= 400);
    // A 429 says a little more, and proves nothing either.
    let proves = |it: Failure| match it.processed() {
        Processed::Maybe => false,
        Processed::Unlikely => it.cause() != Cause::RateLimited,
        _ => true,
    };
    assert!(!failure.is_some_and(proves));
    if let Err(error) = read(response).await {
        assert_eq!(classify_body_error(&error).processed(), Processed::Yes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..<_>::default() })]

    #[test]
    fn arbitrary_bytes_give_response_or_failure_without_proof(bytes in pieces()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(conclude(bytes));
    }
}
