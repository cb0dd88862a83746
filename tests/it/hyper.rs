//! What failures on the wire are taken for, when hyper-util's client meets them, and when it does so inside the layers.
//!
//! Real sockets, so real time.

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
    Body, Verdict, assert_ends, empty, full, get_and_post, hyper, origin, read, request, stack, url,
};

async fn ends(script: Script, cause: Cause, processed: Processed, attempts: [u32; 2]) -> Origin {
    let origin = origin(script).await;
    let clients = (hyper::<Body>(), hyper());
    assert_ends(clients, &url(&origin), (cause, processed), attempts).await;
    origin
}

#[tokio::test]
async fn a_refused_connection_is_not_processed_so_that_a_post_is_retried_too() {
    let cause = Cause::ConnectionRefused;
    ends(Script::Refuse, cause, Processed::No, [5, 5]).await;
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_not_processed() {
    // RFC 6761 §6.4: `.invalid` never resolves.
    let told = (Cause::DnsError, Processed::No);
    let clients = (hyper::<Body>(), hyper());
    assert_ends(clients, "http://does-not-exist.invalid/", told, [5, 5]).await;
}

/// The connector has no TLS, or the URL no host.
#[tokio::test]
async fn a_url_that_the_client_cannot_reach_at_all_is_the_request_s_fault_and_not_retried() {
    let origin = origin(Script::Healthy).await;
    let told = (Cause::HttpRequestError, Processed::No);
    let https = url(&origin).replace("http://", "https://");
    for url in [&*https, "ftp://upstream/"] {
        assert_ends((hyper::<Body>(), hyper()), url, told, [1, 1]).await;
    }
    assert_eq!(origin.connections(), 0);
}

#[tokio::test]
async fn a_connection_closed_at_a_request_may_have_been_processed() {
    let cause = Cause::ConnectionTerminated;
    let origin = ends(Script::ReadClose, cause, Processed::Maybe, [5, 1]).await;
    // GET and POST by the bare client, then by the stack: the POST once each time.
    assert_eq!(origin.requests(), 2 + 5 + 1);
}

#[tokio::test]
async fn a_connection_reset_at_a_request_may_have_been_processed() {
    let cause = Cause::ConnectionTerminated;
    let origin = ends(Script::Reset, cause, Processed::Maybe, [5, 1]).await;
    assert_eq!(origin.requests(), 2 + 5 + 1);
}

#[tokio::test]
async fn a_head_that_breaks_off_may_have_been_processed() {
    let cause = Cause::ConnectionTerminated;
    let origin = ends(Script::TruncatedHead, cause, Processed::Maybe, [5, 1]).await;
    assert_eq!(origin.requests(), 2 + 5 + 1);
}

#[tokio::test]
async fn an_answer_that_is_not_http_may_have_been_processed() {
    let cause = Cause::HttpProtocolError;
    let origin = ends(Script::Garbage, cause, Processed::Maybe, [5, 1]).await;
    assert_eq!(origin.requests(), 2 + 5 + 1);
}

#[tokio::test]
async fn an_over_long_head_is_told_by_its_size_and_not_retried() {
    let cause = Cause::HttpResponseHeaderSectionSize;
    let origin = ends(Script::HugeHead, cause, Processed::Maybe, [1, 1]).await;
    assert_eq!(origin.requests(), 2 + 1 + 1);
}

/// The close races the request: hyper tells whether it had begun to write it. One that was never written is sent
/// again once for free.
#[tokio::test]
async fn a_connection_closed_as_soon_as_made_is_terminated() {
    let origin = origin(Script::AcceptClose).await;
    let bare = get_and_post(hyper::<Body>(), &url(&origin)).await;
    let stacked = get_and_post(stack(hyper()), &url(&origin)).await;
    for verdict in bare.iter().chain(&stacked) {
        assert_eq!(verdict.cause, Cause::ConnectionTerminated);
        assert!(matches!(verdict.processed, Processed::No | Processed::Maybe));
    }
    assert!(matches!(stacked[0].attempts, 5 | 6), "{stacked:?}");
    assert_eq!(origin.requests(), 0);
}

/// The bare client would wait for ever.
#[tokio::test]
async fn a_silent_origin_is_a_timeout_that_may_have_been_processed() {
    let origin = origin(Script::Silent).await;
    let timeout = TimeoutLayer::new(Duration::from_millis(200));
    let [get, post] = get_and_post(timeout.layer(hyper::<Body>()), &url(&origin)).await;
    let expected = |attempts| Verdict {
        cause: Cause::HttpResponseTimeout,
        processed: Processed::Maybe,
        attempts,
    };
    assert_eq!([get, post], [expected(1), expected(1)]);
    let stacked = get_and_post(stack(timeout.layer(hyper())), &url(&origin)).await;
    assert_eq!(stacked, [expected(5), expected(1)]);
    assert_eq!(origin.requests(), 2 + 5 + 1);
}

/// The head is a success, so nobody retries; what the caller meets is told by `classify_body_error`.
async fn breaks_off(script: Script) {
    let origin = origin(script).await;
    let response = stack(hyper()).oneshot(request("GET", &url(&origin), empty())).await.unwrap();
    assert_eq!(HttpClassifier::new().classify(Ok(&response)), None);
    let failure = classify_body_error(&read(response).await.unwrap_err());
    assert_eq!(
        (failure.cause(), failure.processed()),
        (Cause::HttpResponseIncomplete, Processed::Yes)
    );
    assert_eq!(origin.requests(), 1);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_incomplete_and_processed() {
    breaks_off(Script::TruncatedBody).await;
}

#[tokio::test]
async fn a_chunked_body_that_breaks_off_is_incomplete_and_processed() {
    breaks_off(Script::TruncatedChunks).await;
}

#[tokio::test]
async fn a_chunked_body_that_cannot_be_decoded_is_told_by_its_coding_and_processed() {
    let malformed = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n";
    let origin = origin(Script::Raw(malformed)).await;
    let response = hyper().oneshot(request("GET", &url(&origin), empty()));
    let error = read(response.await.unwrap()).await.unwrap_err();
    let failure = classify_body_error(&error);
    assert_eq!(
        (failure.cause(), failure.processed()),
        (Cause::HttpResponseTransferCoding, Processed::Yes)
    );
}

#[tokio::test]
async fn the_client_s_own_error_stays_in_the_chain() {
    type Error = hyper_util::client::legacy::Error;
    let origin = origin(Script::Refuse).await;
    let call = stack(hyper()).oneshot(request("PUT", &url(&origin), full(b"hi")));
    let error = call.await.unwrap_err();
    assert!(find_source::<Error>(&*error).unwrap().is_connect());
    let refused = find_source::<std::io::Error>(&*error).unwrap();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

/// What the caller's own body does is no failure of the upstream.
#[tokio::test]
async fn a_request_body_that_fails_is_the_request_s_fault_and_not_retried() {
    use futures_util::stream;
    use http_body_util::{BodyExt, StreamBody};

    let origin = origin(Script::Healthy).await;
    let frames = stream::iter([
        Ok(http_body::Frame::data(Bytes::from_static(b"begun"))),
        // As an upstream's own error would look that is streamed through.
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into()),
    ]);
    let body = BodyExt::boxed(StreamBody::new(frames));
    let call = stack(hyper()).oneshot(request("PUT", &url(&origin), body));
    let verdict = Verdict::of(&*call.await.unwrap_err());
    let expected =
        Verdict { cause: Cause::HttpRequestError, processed: Processed::Maybe, attempts: 1 };
    assert_eq!(verdict, expected);
}
