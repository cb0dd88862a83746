//! Classification of network failures, with hyper-util's client alone and inside the layers.
//!
//! The tests use real sockets and therefore real time.

mod connection;
mod retries;

use std::time::Duration;

use bytes::Bytes;
use scripted_origin::{Origin, Script};
use seawall::{
    Cause, Processed,
    classify::{Classify, HttpClassifier, classify_body_error},
    find_source,
    timeout::TimeoutLayer,
};
use tower::{Layer, ServiceExt};

use crate::support::sockets::{
    Body, CallFailure, assert_failures, empty, full, get_and_post, hyper_client, origin, read,
    request, stack, url,
};

async fn assert_failure(
    script: Script,
    cause: Cause,
    processed: Processed,
    attempts: [u32; 2],
) -> Origin {
    let origin = origin(script).await;
    let clients = (hyper_client::<Body>(), hyper_client());
    assert_failures(clients, &url(&origin), (cause, processed), attempts).await;
    origin
}

#[tokio::test]
async fn retry_layer_retries_post_when_connection_is_refused() {
    let cause = Cause::ConnectionRefused;
    assert_failure(Script::Refuse, cause, Processed::No, [5, 5]).await;
}

#[tokio::test]
async fn retry_layer_retries_post_when_name_does_not_resolve() {
    // RFC 6761 §6.4: `.invalid` never resolves.
    let expected = (Cause::DnsError, Processed::No);
    let clients = (hyper_client::<Body>(), hyper_client());
    assert_failures(clients, "http://does-not-exist.invalid/", expected, [5, 5]).await;
}

/// The connector supports neither TLS nor FTP.
#[tokio::test]
async fn retry_layer_does_not_retry_unsupported_url() {
    let origin = origin(Script::Healthy).await;
    let expected = (Cause::HttpRequestError, Processed::No);
    let https = url(&origin).replace("http://", "https://");
    for url in [&*https, "ftp://upstream/"] {
        assert_failures((hyper_client::<Body>(), hyper_client()), url, expected, [1, 1]).await;
    }
    assert_eq!(origin.connections(), 0);
}

#[tokio::test]
async fn closed_connection_is_terminated_and_may_be_processed() {
    let cause = Cause::ConnectionTerminated;
    let origin = assert_failure(Script::ReadClose, cause, Processed::Maybe, [5, 1]).await;
    // The bare client sends 2 requests. The stack sends the GET 5 times and the POST once.
    assert_eq!(origin.requests(), 2 + 5 + 1);
}

#[tokio::test]
async fn reset_connection_is_terminated_and_may_be_processed() {
    let cause = Cause::ConnectionTerminated;
    let origin = assert_failure(Script::Reset, cause, Processed::Maybe, [5, 1]).await;
    assert_eq!(origin.requests(), 2 + 5 + 1);
}

#[tokio::test]
async fn truncated_head_is_terminated_and_may_be_processed() {
    let cause = Cause::ConnectionTerminated;
    let origin = assert_failure(Script::TruncatedHead, cause, Processed::Maybe, [5, 1]).await;
    assert_eq!(origin.requests(), 2 + 5 + 1);
}

#[tokio::test]
async fn non_http_response_is_protocol_error_and_may_be_processed() {
    let cause = Cause::HttpProtocolError;
    let origin = assert_failure(Script::Garbage, cause, Processed::Maybe, [5, 1]).await;
    assert_eq!(origin.requests(), 2 + 5 + 1);
}

#[tokio::test]
async fn retry_layer_does_not_retry_overlong_head() {
    let cause = Cause::HttpResponseHeaderSectionSize;
    let origin = assert_failure(Script::HugeHead, cause, Processed::Maybe, [1, 1]).await;
    assert_eq!(origin.requests(), 2 + 1 + 1);
}

/// The close races with the request, and hyper reports whether it had started to write it. The
/// retry layer sends an unwritten request again once without using the budget.
#[tokio::test]
async fn connection_closed_on_accept_is_terminated() {
    let origin = origin(Script::AcceptClose).await;
    let bare = get_and_post(hyper_client::<Body>(), &url(&origin)).await;
    let stacked = get_and_post(stack(hyper_client()), &url(&origin)).await;
    for verdict in bare.iter().chain(&stacked) {
        assert_eq!(verdict.cause, Cause::ConnectionTerminated);
        assert!(matches!(verdict.processed, Processed::No | Processed::Maybe));
    }
    assert!(matches!(stacked[0].attempts, 5 | 6), "{stacked:?}");
    assert_eq!(origin.requests(), 0);
}

/// Adds a timeout, because the bare client would wait forever.
#[tokio::test]
async fn silent_origin_is_timeout_and_may_be_processed() {
    let origin = origin(Script::Silent).await;
    let timeout = TimeoutLayer::new(Duration::from_millis(200));
    let [get, post] = get_and_post(timeout.layer(hyper_client::<Body>()), &url(&origin)).await;
    let expected = |attempts| CallFailure {
        cause: Cause::HttpResponseTimeout,
        processed: Processed::Maybe,
        attempts,
    };
    assert_eq!([get, post], [expected(1), expected(1)]);
    let stacked = get_and_post(stack(timeout.layer(hyper_client())), &url(&origin)).await;
    assert_eq!(stacked, [expected(5), expected(1)]);
    assert_eq!(origin.requests(), 2 + 5 + 1);
}

/// Asserts the failure of a truncated body.
///
/// The head is a success, so the request is not retried. `classify_body_error` classifies the
/// error.
async fn assert_truncated(script: Script) {
    let origin = origin(script).await;
    let response =
        stack(hyper_client()).oneshot(request("GET", &url(&origin), empty())).await.unwrap();
    assert_eq!(HttpClassifier::new().classify(Ok(&response)), None);
    let failure = classify_body_error(&read(response).await.unwrap_err());
    assert_eq!(
        (failure.cause(), failure.processed()),
        (Cause::HttpResponseIncomplete, Processed::Yes)
    );
    assert_eq!(origin.requests(), 1);
}

#[tokio::test]
async fn truncated_body_is_incomplete_and_processed() {
    assert_truncated(Script::TruncatedBody).await;
}

#[tokio::test]
async fn truncated_chunked_body_is_incomplete_and_processed() {
    assert_truncated(Script::TruncatedChunks).await;
}

#[tokio::test]
async fn malformed_chunk_is_transfer_coding_error_and_processed() {
    let malformed = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n";
    let origin = origin(Script::Raw(malformed)).await;
    let response = hyper_client().oneshot(request("GET", &url(&origin), empty()));
    let error = read(response.await.unwrap()).await.unwrap_err();
    let failure = classify_body_error(&error);
    assert_eq!(
        (failure.cause(), failure.processed()),
        (Cause::HttpResponseTransferCoding, Processed::Yes)
    );
}

#[tokio::test]
async fn error_keeps_client_error_as_source() {
    type Error = hyper_util::client::legacy::Error;
    let origin = origin(Script::Refuse).await;
    let call = stack(hyper_client()).oneshot(request("PUT", &url(&origin), full(b"hi")));
    let error = call.await.unwrap_err();
    assert!(find_source::<Error>(&*error).unwrap().is_connect());
    let refused = find_source::<std::io::Error>(&*error).unwrap();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

/// An error of the caller's own body is not a failure of the upstream.
#[tokio::test]
async fn retry_layer_does_not_retry_when_request_body_fails() {
    use futures_util::stream;
    use http_body_util::{BodyExt, StreamBody};

    let origin = origin(Script::Healthy).await;
    let frames = stream::iter([
        Ok(http_body::Frame::data(Bytes::from_static(b"start"))),
        // Resembles the error of an upstream whose response is forwarded as this body.
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into()),
    ]);
    let body = BodyExt::boxed(StreamBody::new(frames));
    let call = stack(hyper_client()).oneshot(request("PUT", &url(&origin), body));
    let verdict = CallFailure::from_error(&*call.await.unwrap_err());
    let expected =
        CallFailure { cause: Cause::HttpRequestError, processed: Processed::Maybe, attempts: 1 };
    assert_eq!(verdict, expected);
}
