//! Regression tests for bugs of other circuit breakers.

use std::{
    error::Error,
    task::{Context, Poll},
};

use seawall::circuit_breaker::CircuitBreaker;
use tokio_test::{assert_ready_err, assert_ready_ok};
use tower::Service;

use super::*;

fn start_call(layer: &CircuitBreakerLayer, upstream: &FlakyService) -> impl Sized + Pollable {
    let mut call = task::spawn(layer.layer(upstream.clone()).oneshot(get()));
    assert_pending!(call.poll());
    call
}

/// A call in flight.
trait Pollable {
    fn is_complete(&mut self) -> bool;
}

impl<F: Future> Pollable for task::Spawn<F> {
    fn is_complete(&mut self) -> bool {
        self.poll().is_ready()
    }
}

#[tokio::test(start_paused = true)]
async fn earlier_successes_do_not_hide_later_failures() {
    let upstream = upstream(Step::status(200));
    let layer = CircuitBreakerLayer::new();
    let service = layer.layer(upstream.clone());
    for _ in 0..1_000 {
        service.clone().oneshot(get()).await.unwrap();
    }
    advance(seconds(10)).await;
    upstream.set_script(Step::status(502)).unwrap();
    let mut failures = 0;
    while layer.handle().state() == State::Closed {
        service.clone().oneshot(get()).await.unwrap();
        failures += 1;
    }
    assert_eq!(failures, 20);
}

#[tokio::test(start_paused = true)]
async fn breaker_counts_first_results() {
    let upstream = upstream(Step::status(502));
    let layer = CircuitBreakerLayer::new();
    for _ in 0..20 {
        assert_eq!(layer.handle().state(), State::Closed);
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
    }
    assert_eq!(layer.handle().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn infrequent_probes_close_circuit() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two();
    open(&layer, &upstream).await;
    upstream.set_script(Step::status(200)).unwrap();
    for _ in 0..3 {
        // Exceeds the window of results.
        advance(seconds(60)).await;
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
    }
    assert_eq!(layer.handle().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn result_from_before_opening_does_not_change_half_open() {
    let upstream = upstream(Step::ok("").delay(seconds(3)));
    let layer = opens_at_two();
    let mut stale_calls: Vec<_> = (0..10).map(|_| start_call(&layer, &upstream)).collect();
    open(&layer, &upstream).await;
    upstream.set_script(Step::silent()).unwrap();
    advance(seconds(2)).await;
    let _probe = start_call(&layer, &upstream);
    assert_eq!(layer.handle().state(), State::HalfOpen);
    // Ten successes of calls that were admitted before the circuit opened.
    advance(seconds(3)).await;
    assert!(stale_calls.iter_mut().all(Pollable::is_complete));
    let snapshot = layer.handle().snapshot();
    assert_eq!((snapshot.state(), snapshot.stale_results()), (State::HalfOpen, 10));
}

#[tokio::test(start_paused = true)]
async fn breaker_counts_results_as_stale_when_open() {
    let upstream = upstream(Step::ok("").delay(seconds(1)));
    let layer = opens_at_two();
    let mut stale_calls: Vec<_> = (0..10).map(|_| start_call(&layer, &upstream)).collect();
    open(&layer, &upstream).await;
    advance(seconds(1)).await;
    assert!(stale_calls.iter_mut().all(Pollable::is_complete));
    let snapshot = layer.handle().snapshot();
    assert_eq!((snapshot.state(), snapshot.stale_results()), (State::Open, 10));
}

#[tokio::test(start_paused = true)]
async fn stale_failures_do_not_open_recovered_circuit() {
    let upstream = upstream(Step::ok("").delay(seconds(3)));
    let layer = opens_at_two().slow_call_threshold(seconds(1));
    let stale_calls: Vec<_> = (0..10).map(|_| start_call(&layer, &upstream)).collect();
    open(&layer, &upstream).await;
    upstream.set_script(Step::status(200)).unwrap();
    advance(seconds(2)).await;
    for _ in 0..3 {
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
    }
    assert_eq!(layer.handle().state(), State::Closed);
    drop(stale_calls);
    let snapshot = layer.handle().snapshot();
    assert_eq!(
        (snapshot.state(), snapshot.failures(), snapshot.stale_results()),
        (State::Closed, 0, 10)
    );
}

#[tokio::test(start_paused = true)]
async fn breaker_does_not_count_canceled_call() {
    let upstream = upstream(Step::silent());
    let layer = CircuitBreakerLayer::new();
    for _ in 0..100 {
        drop(start_call(&layer, &upstream));
    }
    let snapshot = layer.handle().snapshot();
    assert_eq!((snapshot.calls(), snapshot.state()), (0, State::Closed));
}

#[tokio::test(start_paused = true)]
async fn canceled_probe_releases_permit_without_closing_circuit() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two();
    open(&layer, &upstream).await;
    upstream.set_script(Step::silent()).unwrap();
    advance(seconds(2)).await;
    for _ in 0..100 {
        drop(start_call(&layer, &upstream));
    }
    assert_eq!(layer.handle().state(), State::HalfOpen);
    upstream.set_script(Step::status(200)).unwrap();
    for _ in 0..3 {
        layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
    }
    assert_eq!(layer.handle().state(), State::Closed);
}

/// A service that fails to become ready.
#[derive(Clone, Copy)]
struct FailsReadiness;

impl<Req> Service<Req> for FailsReadiness {
    type Response = http::Response<upstream::Body>;
    type Error = BoxError;
    type Future = std::future::Pending<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into()))
    }

    fn call(&mut self, _: Req) -> Self::Future {
        unreachable!("called a service that is never ready")
    }
}

#[tokio::test(start_paused = true)]
async fn breaker_counts_inner_poll_ready_errors() {
    let layer = opens_at_two();
    let mut service = task::spawn(layer.layer(FailsReadiness));
    for _ in 0..2 {
        assert_ready_err!(service.enter(|cx, mut service| {
            Service::<http::Request<upstream::Body>>::poll_ready(&mut *service, cx)
        }));
    }
    assert_eq!(layer.handle().state(), State::Open);
    // A probe that fails in `poll_ready` reopens the circuit.
    advance(seconds(2)).await;
    for _ in 0..3 {
        assert!(layer.layer(FailsReadiness).oneshot(get()).await.is_err());
    }
    assert_eq!(layer.handle().state(), State::Open);
    assert!(layer.handle().snapshot().next_probe().unwrap() > seconds(2));
}

#[tokio::test(start_paused = true)]
async fn breaker_classifies_inner_poll_ready_errors() {
    let layer = opens_at_two().classifier(seawall::classify::classify_fn(
        |_: Result<&http::Response<upstream::Body>, &(dyn Error + 'static)>| None,
    ));
    for _ in 0..5 {
        layer.layer(FailsReadiness).oneshot(get()).await.unwrap_err();
    }
    let snapshot = layer.handle().snapshot();
    assert_eq!((snapshot.calls(), snapshot.failures()), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn poll_ready_does_not_reject_when_open() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two();
    open(&layer, &upstream).await;
    let mut service: CircuitBreaker<_> = layer.layer(upstream);
    let mut ready = task::spawn(());
    ready.enter(|cx, _| {
        assert_ready_ok!(Service::<http::Request<upstream::Body>>::poll_ready(&mut service, cx));
    });
    assert!(service.call(get()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn services_and_clones_of_layer_share_circuit() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two();
    layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
    layer.clone().layer(upstream.clone()).oneshot(get()).await.unwrap();
    assert!(layer.layer(upstream.clone()).clone().oneshot(get()).await.is_err());
}
