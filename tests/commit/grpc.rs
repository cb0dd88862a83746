//! A gRPC status in trailers.

use http::{HeaderMap, Response};
use http_body_util::BodyExt;
use seawall::{
    Cause,
    classify::{Classify, GrpcClassifier},
    commit::{CommitBody, CommitLayer, PeekTrailers},
};

use crate::support::{Call, FedBody, Step, call, data, fed_body, outcome, response};

fn grpc_call(steps: impl IntoIterator<Item = Step>) -> Call {
    let (body, _feed) = fed_body(steps);
    call(&CommitLayer::new(PeekTrailers::new()), response("application/grpc+proto", body))
}

fn trailers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

fn unavailable() -> HeaderMap {
    trailers(&[("grpc-status", "14"), ("grpc-message", "draining"), ("x-id", "7")])
}

fn cause(response: &Response<CommitBody<FedBody>>) -> Option<Cause> {
    GrpcClassifier::new().classify(Ok(response)).map(|failure| failure.cause())
}

#[tokio::test(start_paused = true)]
async fn status_in_trailers_without_message_moves_to_head() {
    let response = outcome(&mut grpc_call([Step::Trailers(unavailable())])).unwrap();
    assert_eq!(cause(&response), Some(Cause::DestinationUnavailable));
    for (name, value) in &unavailable() {
        assert_eq!(response.headers().get(name), Some(value));
    }
    let collected = response.into_body().collect().await.unwrap();
    assert!(collected.trailers().is_none());
    assert_eq!(collected.to_bytes(), "");
}

#[tokio::test(start_paused = true)]
async fn status_after_message_stays_in_trailers() {
    let steps = [data([0; 5]), Step::Trailers(unavailable())];
    let response = outcome(&mut grpc_call(steps)).unwrap();
    assert_eq!(cause(&response), None);
    let collected = response.into_body().collect().await.unwrap();
    assert_eq!(collected.trailers(), Some(&unavailable()));
    assert_eq!(collected.to_bytes(), [0; 5][..]);
}

#[tokio::test(start_paused = true)]
async fn trailers_without_status_stay() {
    let response = outcome(&mut grpc_call([Step::Trailers(trailers(&[("x-id", "7")]))])).unwrap();
    assert_eq!(response.headers().get("x-id"), None);
    let collected = response.into_body().collect().await.unwrap();
    assert_eq!(collected.trailers(), Some(&trailers(&[("x-id", "7")])));
}

#[tokio::test(start_paused = true)]
async fn silent_stream_is_not_awaited() {
    assert!(outcome(&mut grpc_call([])).is_ok());
}

#[tokio::test(start_paused = true)]
async fn stream_that_breaks_off_before_message_fails() {
    assert!(outcome(&mut grpc_call([Step::Error])).is_err());
}
