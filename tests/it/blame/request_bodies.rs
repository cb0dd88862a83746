//! Request bodies that exceed a limit of this process.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use scripted_origin::Script;
use seawall::{
    Blame, BoxError, Cause, Detail, Processed,
    circuit_breaker::{Circuit, State},
    classify::{classify_body_error, classify_error},
    standard::StandardLayer,
};
use tower::{Layer, ServiceExt};
use tower_http::timeout::TimeoutBody;
use tracing::{Level, level_filters::LevelFilter};

use super::{CALLS, documented};
use crate::{
    log_capture::Recorder,
    support::sockets::{Body, hyper_client, origin, request, url},
};

fn too_large() -> Body {
    // Its size is unknown, so that the limit applies only while the client sends it.
    let frames = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"too long")))]);
    Limited::new(StreamBody::new(frames), 3).boxed()
}

#[tokio::test]
async fn gateway_answers_413_when_request_body_exceeds_limit() {
    let origin = origin(Script::Healthy).await;
    let layer = StandardLayer::gateway("edge");
    let gateway = layer.layer(hyper_client());
    for _ in 0..CALLS {
        let (recorder, _guard) = Recorder::start(LevelFilter::WARN);
        let call = gateway.clone().oneshot(request("PUT", &url(&origin), too_large()));
        assert_eq!(call.await.unwrap().status(), 413);
        let lines = recorder.lines();
        let [line] = &*lines else { panic!("expected one line, found {}", lines.len()) };
        assert_eq!(line.level, Level::WARN);
        assert!(line.message().contains("request body too large"), "{}", line.message());
        let advice = line.get("seawall.advice").unwrap();
        assert!(advice.contains("smaller body") && !advice.contains("method"), "{advice}");
    }
    let states: Vec<_> = layer.circuits().all().iter().map(Circuit::state).collect();
    assert_eq!(states, [State::Closed]);
}

#[tokio::test]
async fn length_limit_of_request_blames_caller() {
    let origin = origin(Script::Healthy).await;
    let error =
        hyper_client().oneshot(request("POST", &url(&origin), too_large())).await.unwrap_err();
    let failure = classify_error(&error);
    assert_eq!((failure.cause(), failure.blame()), (Cause::HttpRequestError, Blame::Caller));
    assert_eq!(failure.detail(), Some(Detail::RequestTooLarge));
    assert_eq!(failure.processed(), Processed::Maybe);
}

#[tokio::test]
async fn length_limit_of_response_is_about_response() {
    let body = Limited::new(Full::<Bytes>::from("too long"), 3);
    let error = Response::new(body).into_body().collect().await.unwrap_err();
    let failure = classify_body_error(&*error);
    assert_eq!(failure.cause(), Cause::HttpResponseBodySize);
    assert_eq!((failure.detail(), failure.processed()), (None, Processed::Yes));
}

/// Like a `BodyTimeoutLayer` for requests.
#[tokio::test]
async fn time_limit_of_tower_http_for_request_body_is_request_timeout() {
    let origin = origin(Script::Healthy).await;
    let frames = stream::pending::<Result<Frame<Bytes>, BoxError>>();
    let stalled = TimeoutBody::new(Duration::from_millis(20), StreamBody::new(frames));
    let request: Request<Body> = Request::post(url(&origin)).body(stalled.boxed()).unwrap();
    let failure = classify_error(&hyper_client().oneshot(request).await.unwrap_err());
    assert_eq!((failure.cause(), failure.blame()), (Cause::RequestTimeout, Blame::Caller));
    assert_eq!(failure.gateway_status().as_u16(), 408);
    let row = documented("tower-http's `TimeoutBody` around the request's body");
    assert_eq!(row, "`request_timeout` | 408 | no | no |");
    assert!(documented("`request_timeout`").starts_with("caller | 408 | no | no |"));
}
