//! The order of layers in the stack, and the effect of the reverse order.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use seawall::{
    Cause,
    bad_gateway::BadGatewayClassifierLayer,
    circuit_breaker::{CircuitBreakerLayer, State},
    deadline::DeadlineLayer,
    error_response::ErrorResponseLayer,
    in_flight::InFlightLimitLayer,
    logging::LoggingLayer,
    retry::{Backoff, Budget, RetriesExhausted, RetryLayer},
    standard::{StandardLayer, Timeouts},
    timeout::TimeoutLayer,
};
use tokio::time::Instant;
use tower::{ServiceBuilder, ServiceExt};
use tracing::level_filters::LevelFilter;

use super::{cause, get, secs, silent, status, upstream};
use crate::log_capture::Recorder;

const URL: &str = "http://billing/";

fn retry() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::none()).budget(Budget::none())
}

#[tokio::test(start_paused = true)]
async fn logging_emits_one_line_when_outside_retry() {
    let (recorder, _guard) = Recorder::start(LevelFilter::DEBUG);
    let (_, flaky) = upstream(|number| Ok(status(if number == 1 { 502 } else { 200 })));
    let stack = ServiceBuilder::new().layer(StandardLayer::new("billing")).service(flaky);
    stack.oneshot(get(URL)).await.unwrap();
    assert_eq!(recorder.line().get("http.response.status_code"), Some("200"));

    let (recorder, _guard) = Recorder::start(LevelFilter::DEBUG);
    let (_, flaky) = upstream(|number| Ok(status(if number == 1 { 502 } else { 200 })));
    let reversed =
        ServiceBuilder::new().layer(retry()).layer(LoggingLayer::client()).service(flaky);
    drop(reversed.oneshot(get(URL)).await.unwrap());
    assert_eq!(recorder.lines().len(), 2, "one line per attempt");
}

#[tokio::test(start_paused = true)]
async fn logging_reports_timeout_when_outside_deadline() {
    let (recorder, _guard) = Recorder::start(LevelFilter::DEBUG);
    let stack = ServiceBuilder::new().layer(StandardLayer::new("billing")).service(silent());
    stack.oneshot(get(URL)).await.unwrap_err();
    assert_eq!(recorder.line().get("seawall.cause"), Some("http_response_timeout"));

    let (recorder, _guard) = Recorder::start(LevelFilter::DEBUG);
    let reversed = ServiceBuilder::new()
        .layer(DeadlineLayer::new(secs(30)))
        .layer(LoggingLayer::client())
        .layer(retry())
        .service(silent());
    reversed.oneshot(get(URL)).await.unwrap_err();
    let line = recorder.line();
    let logged = (line.get("seawall.outcome"), line.get("seawall.cause"));
    assert_eq!(logged, (Some("cancelled"), None), "a timeout looks like a cancelled call");
}

#[tokio::test(start_paused = true)]
async fn deadline_covers_all_attempts_when_outside_retry() {
    let duration_of =
        async |service: tower::util::BoxService<_, http::Response<()>, seawall::BoxError>| {
            let start = Instant::now();
            service.oneshot(get(URL)).await.unwrap_err();
            start.elapsed()
        };
    let stack = ServiceBuilder::new().layer(StandardLayer::new("billing")).service(silent());
    let took = duration_of(stack.map_response(drop_body).boxed()).await;
    assert!(took <= secs(30) + Duration::from_millis(1), "{took:?}");

    let reversed =
        ServiceBuilder::new().layer(retry()).layer(DeadlineLayer::new(secs(30))).service(silent());
    let took = duration_of(reversed.map_response(drop_body).boxed()).await;
    assert!(took >= secs(120), "{took:?}");
}

fn drop_body<B>(response: http::Response<B>) -> http::Response<()> {
    response.map(drop)
}

#[tokio::test(start_paused = true)]
async fn breaker_counts_each_attempt_when_inside_retry() {
    let (sent, dead) = upstream(|_| Ok(status(502)));
    let layer = StandardLayer::new("billing").retry(retry());
    let circuits = layer.circuits();
    let stack = ServiceBuilder::new().layer(layer).service(dead);
    for _ in 0..6 {
        let _ = stack.clone().oneshot(get(URL)).await;
    }
    assert_eq!(circuits.get("billing").unwrap().state(), State::Open);
    // Four calls with five attempts each open the circuit, which rejects the reversed calls.
    assert_eq!(sent.load(Ordering::Relaxed), 20);

    let (sent, dead) = upstream(|_| Ok(status(502)));
    let breaker = CircuitBreakerLayer::new();
    let circuit = breaker.handle();
    let reversed = ServiceBuilder::new().layer(breaker).layer(retry()).service(dead);
    for _ in 0..6 {
        let _ = reversed.clone().oneshot(get(URL)).await;
    }
    assert_eq!(circuit.state(), State::Closed, "the breaker counts six failed calls");
    assert_eq!(sent.load(Ordering::Relaxed), 30);
}

#[tokio::test(start_paused = true)]
async fn breaker_rejects_before_limit_when_outside_it() {
    let one = InFlightLimitLayer::new(NonZeroU32::MIN);
    let layer = StandardLayer::new("billing").in_flight(one.clone()).without_retry();
    let circuits = layer.circuits();
    let stack = ServiceBuilder::new().layer(layer).service(silent());
    let mut hanging = tokio_test::task::spawn(stack.clone().oneshot(get(URL)));
    assert!(hanging.poll().is_pending());
    assert_eq!(cause(stack.clone().oneshot(get(URL)).await), Cause::ConnectionLimitReached);
    circuits.get("billing").unwrap().force_open();
    assert_eq!(cause(stack.oneshot(get(URL)).await), Cause::CircuitOpen);

    let breaker = CircuitBreakerLayer::new();
    let circuit = breaker.handle();
    let reversed = ServiceBuilder::new().layer(one).layer(breaker).service(silent());
    let mut hanging = tokio_test::task::spawn(reversed.clone().oneshot(get(URL)));
    assert!(hanging.poll().is_pending());
    circuit.force_open();
    let rejection = cause(reversed.oneshot(get(URL)).await);
    assert_eq!(rejection, Cause::ConnectionLimitReached, "the limit hides the open circuit");
}

#[tokio::test(start_paused = true)]
async fn breaker_counts_timeouts_when_outside_timeout() {
    let second = Timeouts::new(secs(1), secs(1)).unwrap();
    let layer = StandardLayer::new("billing").timeouts(second).without_retry();
    let layer = layer.without_deadline();
    let circuits = layer.circuits();
    let stack = ServiceBuilder::new().layer(layer).service(silent());
    let calls = (0..20).map(|_| stack.clone().oneshot(get(URL)));
    futures_util::future::join_all(calls).await;
    assert_eq!(circuits.get("billing").unwrap().state(), State::Open);

    let breaker = CircuitBreakerLayer::new();
    let circuit = breaker.handle();
    let reversed =
        ServiceBuilder::new().layer(TimeoutLayer::new(secs(1))).layer(breaker).service(silent());
    let calls = (0..100).map(|_| reversed.clone().oneshot(get(URL)));
    futures_util::future::join_all(calls).await;
    assert_eq!(circuit.state(), State::Closed, "cancelled calls are not counted");
}

#[tokio::test(start_paused = true)]
async fn circuit_opens_when_twenty_attempts_time_out() {
    let timeouts = Timeouts::new(secs(1), secs(30)).unwrap();
    let layer = StandardLayer::new("billing").timeouts(timeouts).retry(retry());
    let circuits = layer.circuits();
    let stack = ServiceBuilder::new().layer(layer).service(silent());
    for call in 1..=4 {
        let error = stack.clone().oneshot(get(URL)).await.unwrap_err();
        let attempts = seawall::find_source::<RetriesExhausted>(&*error).unwrap().attempts();
        assert_eq!(attempts.get(), 5);
        let state = if call < 4 { State::Closed } else { State::Open };
        assert_eq!(circuits.get("billing").unwrap().state(), state, "{call}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_sees_diagnosis_when_classifier_is_inside() {
    let refused = |number| {
        let mut response = status(if number == 1 { 502 } else { 200 });
        let value = http::HeaderValue::from_static("edge; error=connection_refused");
        response.headers_mut().insert("proxy-status", value);
        Ok(response)
    };
    let recording_retry = || {
        let causes = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&causes);
        let hook = move |event: &seawall::retry::RetryEvent| {
            recorded.lock().unwrap().push(event.failure().cause());
        };
        (causes, retry().on_retry(hook))
    };
    let (causes, retry) = recording_retry();
    let (_, gateway) = upstream(refused);
    let stack =
        ServiceBuilder::new().layer(StandardLayer::new("billing").retry(retry)).service(gateway);
    drop(stack.oneshot(get(URL)).await.unwrap());
    assert_eq!(*causes.lock().unwrap(), [Cause::ConnectionRefused]);

    let (causes, retry) = recording_retry();
    let (_, gateway) = upstream(refused);
    let reversed =
        ServiceBuilder::new().layer(BadGatewayClassifierLayer::new()).layer(retry).service(gateway);
    drop(reversed.oneshot(get(URL)).await.unwrap());
    assert_eq!(*causes.lock().unwrap(), [Cause::BadGateway]);
}

#[tokio::test(start_paused = true)]
async fn access_log_contains_status_when_outside_error_response() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let layer = StandardLayer::gateway("edge").without_logging().without_retry();
    let stack = ServiceBuilder::new().layer(layer).service(silent());
    assert_eq!(stack.oneshot(get(URL)).await.unwrap().status(), 504);
    assert_eq!(recorder.line().get("http.response.status_code"), Some("504"));

    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let reversed = ServiceBuilder::new()
        .layer(ErrorResponseLayer::new("edge"))
        .layer(LoggingLayer::server())
        .layer(DeadlineLayer::new(secs(1)))
        .layer(retry())
        .service(silent());
    assert_eq!(reversed.oneshot(get(URL)).await.unwrap().status(), 504);
    assert_eq!(recorder.line().get("http.response.status_code"), None);
}
