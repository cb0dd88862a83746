//! The layer inside retry, circuit breaker and timeout.

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::ready,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use seawall::{
    BoxError, Cause,
    circuit_breaker::{CircuitBreakerLayer, State},
    commit::{CommitLayer, Dialect},
    retry::RetryLayer,
    timeout::TimeoutLayer,
};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{FedBody, Step, data, failure, fed_body, response};

const CONTENT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n";
const ERROR: &str = "data: {\"error\":{\"message\":\"x\",\"type\":\"service_unavailable\"}}\n\n";

/// Responds with one stream after the other.
fn upstream<B: Send + 'static>(
    streams: impl IntoIterator<Item = Vec<Step>>,
) -> impl Service<Request<B>, Response = Response<FedBody>, Error = Infallible, Future: Send> + Clone
{
    let streams: Arc<Mutex<VecDeque<_>>> = Arc::new(Mutex::new(streams.into_iter().collect()));
    service_fn(move |_: Request<B>| {
        let steps = streams.lock().unwrap().pop_front().expect("one request too many");
        ready(Ok(response("text/event-stream", fed_body(steps).0)))
    })
}

fn post() -> Request<Full<Bytes>> {
    Request::post("http://llm/").body(Full::from("{}")).unwrap()
}

#[tokio::test(start_paused = true)]
async fn retry_hides_streams_that_fail_before_content() {
    let good = vec![data(CONTENT), Step::End];
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new().retry_all_methods().max_retries(3))
        .layer(TimeoutLayer::new(Duration::from_secs(10)))
        .layer(CommitLayer::new(Dialect::OpenAi))
        .service(upstream([vec![data(ERROR)], vec![Step::Error], vec![], good]));
    let response = service.oneshot(post()).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), CONTENT);
}

#[tokio::test(start_paused = true)]
async fn caller_gets_failure_when_retries_are_exhausted() {
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new().retry_all_methods().max_retries(1))
        .layer(CommitLayer::new(Dialect::OpenAi))
        .service(upstream([vec![data(ERROR)], vec![data(ERROR)]]));
    let error: BoxError = service.oneshot(post()).await.unwrap_err();
    assert_eq!(failure(&error).cause(), Cause::Overloaded);
    assert_eq!(failure(&error).gateway_status(), 503);
}

#[tokio::test(start_paused = true)]
async fn post_is_not_retried_unless_allowed() {
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new())
        .layer(CommitLayer::new(Dialect::OpenAi))
        .service(upstream([vec![data(ERROR)]]));
    assert!(service.oneshot(post()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn circuit_opens_after_five_streams_that_fail() {
    for (steps, is_committed) in [
        (vec![data(ERROR)], false),
        (vec![Step::Error], false),
        (vec![Step::End], false),
        // After the commit.
        (vec![data(CONTENT), Step::Error], true),
    ] {
        let breaker = CircuitBreakerLayer::new()
            .without_failure_ratio()
            .consecutive_failures(5.try_into().unwrap())
            .until_body_end();
        let circuit = breaker.handle();
        let service = ServiceBuilder::new()
            .layer(breaker)
            .layer(CommitLayer::new(Dialect::OpenAi))
            .service(upstream(vec![steps.clone(); 5]));
        for _ in 0..5 {
            assert_eq!(circuit.state(), State::Closed, "{steps:?}");
            let outcome = service.clone().oneshot(post()).await;
            assert_eq!(outcome.is_ok(), is_committed, "{steps:?}");
            if let Ok(response) = outcome {
                assert!(response.into_body().collect().await.is_err());
            }
        }
        assert_eq!(circuit.state(), State::Open, "{steps:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn dropped_hold_is_neither_success_nor_failure() {
    let breaker = CircuitBreakerLayer::new()
        .without_failure_ratio()
        .consecutive_failures(1.try_into().unwrap())
        .until_body_end();
    let circuit = breaker.handle();
    let service = ServiceBuilder::new()
        .layer(breaker)
        .layer(CommitLayer::new(Dialect::OpenAi))
        .service(upstream([vec![data("data: {\"choices\":[]}\n\n")]]));
    let mut call = tokio_test::task::spawn(service.oneshot(post()));
    assert!(call.poll().is_pending());
    drop(call);
    assert_eq!(circuit.state(), State::Closed);
}
