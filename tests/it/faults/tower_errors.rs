//! Errors of tower's own layers inside the stack.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use seawall::{
    Cause,
    circuit_breaker::State,
    classify::classify_error,
    error_response::ErrorResponseLayer,
    retry::RetryLayer,
    standard::StandardLayer,
    test_util::{FlakyService, Script, Step},
};
use tower::{Layer, ServiceBuilder, ServiceExt, timeout::error::Elapsed};

use super::{circuit_states, request};
use crate::support::upstream;

/// The upstream is healthy and processes one call at a time. The breaker counts each call that
/// `load_shed` rejects as an upstream failure.
#[tokio::test(start_paused = true)]
async fn circuit_stays_closed_when_load_shed_rejects_calls() {
    let layer = StandardLayer::gateway("edge");
    let upstream = upstream(Step::ok("ok").delay(Duration::from_millis(200)));
    let inner = ServiceBuilder::new().load_shed().concurrency_limit(1).service(upstream);
    let gateway = layer.layer(inner);
    let calls = (0..25).map(|_| gateway.clone().oneshot(request("POST", "http://up/")));
    let responses = join_all(calls).await.into_iter();
    let statuses: BTreeSet<_> = responses.map(|it| it.unwrap().status().as_u16()).collect();
    assert_eq!((statuses, circuit_states(&layer)), ([200, 503].into(), vec![State::Closed]));
}

#[test]
fn classifier_reports_timeout_when_tower_timeout_elapses() {
    let failure = classify_error(&Elapsed::new());
    assert_eq!(failure.cause(), Cause::HttpResponseTimeout);
}

/// Calls an upstream that never answers its first request. Returns the status that the caller gets.
async fn status_after_timeout(method: &str) -> (u16, FlakyService) {
    let upstream = upstream(Script::new().then(Step::silent()).then_repeat(Step::ok("hello")));
    let gateway = ServiceBuilder::new()
        .layer(ErrorResponseLayer::new("edge"))
        .layer(RetryLayer::new())
        .timeout(Duration::from_secs(1))
        .service(upstream.clone());
    let Ok(response) = gateway.oneshot(request(method, "http://billing/")).await;
    (response.status().as_u16(), upstream)
}

#[tokio::test(start_paused = true)]
async fn retry_repeats_get_when_tower_timeout_elapses() {
    let (status, upstream) = status_after_timeout("GET").await;
    assert_eq!((status, upstream.requests()), (200, 2));
}

#[tokio::test(start_paused = true)]
async fn gateway_answers_504_when_tower_timeout_elapses() {
    let (status, upstream) = status_after_timeout("POST").await;
    assert_eq!((status, upstream.requests()), (504, 1));
}
