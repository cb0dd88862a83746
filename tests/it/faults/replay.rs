//! Request bodies of retries.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http::Request;
use http_body::{Body, Frame};
use http_body_util::{Full, StreamBody};
use scripted_origin::Script;
use seawall::{
    BoxError,
    retry::{Backoff, RetryLayer},
    test_util::Step,
};
use tower::{Layer, ServiceExt};

use super::within_limit;
use crate::support::{
    sockets::{hyper_client, origin, url},
    upstream,
};

/// The default of `RetryLayer::max_replay_bytes`.
const MAX_REPLAY_BYTES: usize = 64 << 10;

fn streamed(
    frames: Vec<Bytes>,
) -> impl Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static {
    StreamBody::new(stream::iter(frames.into_iter().map(|data| Ok(Frame::data(data)))))
}

/// The first attempt sends `transfer-encoding: chunked`. The second one sends neither that header
/// nor `content-length`, and a server may answer it with 411.
#[tokio::test]
async fn retry_keeps_framing_when_streamed_body_is_empty() {
    let origin = origin(Script::Once(503, "")).await;
    let client = RetryLayer::new().backoff(Backoff::none()).layer(hyper_client());
    let request = Request::put(url(&origin)).body(streamed(Vec::new())).unwrap();
    let response = within_limit(client.oneshot(request)).await.unwrap();
    assert_eq!((response.status().as_u16(), origin.requests()), (200, 2));
    let received = origin.received();
    assert!(received[0].head.contains("transfer-encoding: chunked"), "{}", received[0].head);
    assert_eq!(received[0].head, received[1].head);
}

/// Sends a POST to an upstream that refuses the first connection. Returns the number of received
/// requests.
async fn post<B>(body: B) -> u64
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let upstream = upstream([Step::refuse(), Step::ok("ok")]);
    let backoff = Backoff::constant(Duration::from_millis(100));
    let client = RetryLayer::new().backoff(backoff).layer(upstream.clone());
    let response = client.oneshot(Request::post("http://up/").body(body).unwrap()).await;
    if let Ok(response) = response {
        assert_eq!(response.status(), 200);
    }
    upstream.requests()
}

fn zeros(len: usize) -> Bytes {
    vec![0; len].into()
}

#[tokio::test(start_paused = true)]
async fn retry_repeats_post_when_refused_body_fits_replay_limit() {
    assert_eq!(post(Full::from(zeros(MAX_REPLAY_BYTES))).await, 1);
}

#[tokio::test(start_paused = true)]
async fn retry_repeats_post_when_refused_body_has_unknown_size() {
    let frames = zeros(MAX_REPLAY_BYTES + 1);
    let frames = frames.chunks(1_000).map(Bytes::copy_from_slice).collect();
    assert_eq!(post(streamed(frames)).await, 1);
}

/// The body is still unread after the refused connection, so a retry needs no replay buffer.
#[tokio::test(start_paused = true)]
async fn retry_repeats_post_when_refused_body_exceeds_replay_limit() {
    assert_eq!(post(Full::from(zeros(MAX_REPLAY_BYTES + 1))).await, 1);
}
