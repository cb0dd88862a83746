//! `TimeoutLayer`: a time limit for the response head.

#[cfg(all(feature = "full", feature = "hyper-util"))]
mod request_bodies;

use futures_util::FutureExt;
use seawall::{
    BoxError, Cause, Elapsed, Processed, TimeoutKind,
    classify::classify_error,
    timeout::{Timeout, TimeoutLayer},
};
use std::{
    future::{Future, pending, poll_fn},
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_test::{assert_request_eq, mock};

const LIMIT: Duration = Duration::from_millis(100);

/// The resolution of tokio's timers.
const TICK: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn timeout_fails_call_at_limit() {
    let (mut svc, mut handle) = mock::spawn_layer::<&str, &str, _>(TimeoutLayer::new(LIMIT));
    assert_ready_ok!(svc.poll_ready());
    let mut fut = task::spawn(svc.call("a"));
    let _unanswered = assert_request_eq!(handle, "a");
    assert_pending!(fut.poll());
    tokio::time::advance(LIMIT.mul_f64(0.99)).await;
    assert_pending!(fut.poll());
    tokio::time::advance(Duration::from_millis(2)).await;
    assert!(fut.is_woken());
    let err = assert_ready_err!(fut.poll());
    let elapsed = err.downcast_ref::<Elapsed>().unwrap();
    assert_eq!((elapsed.limit(), elapsed.kind()), (LIMIT, TimeoutKind::ResponseHead));
    assert_eq!(err.to_string(), "no response within 100ms");
}

#[tokio::test(start_paused = true)]
async fn timeout_starts_when_first_poll_is_pending() {
    let mut svc = Timeout::new(service_fn(|()| pending::<Result<(), BoxError>>()), LIMIT);
    let mut fut = task::spawn(svc.call(()));
    tokio::time::advance(LIMIT * 2).await;
    assert_pending!(fut.poll());
    tokio::time::advance(LIMIT.saturating_sub(Duration::from_millis(1))).await;
    assert_pending!(fut.poll());
    tokio::time::advance(Duration::from_millis(2)).await;
    assert!(assert_ready!(fut.poll()).is_err());
}

#[tokio::test(start_paused = true)]
async fn timeout_returns_ready_response_after_limit() {
    let (mut svc, mut handle) = mock::spawn_layer::<&str, &str, _>(TimeoutLayer::new(LIMIT));
    assert_ready_ok!(svc.poll_ready());
    let mut fut = task::spawn(svc.call("a"));
    assert_request_eq!(handle, "a").send_response("b");
    tokio::time::advance(LIMIT * 2).await;
    assert_eq!(assert_ready!(fut.poll()).unwrap(), "b");
}

#[tokio::test(start_paused = true)]
async fn timeout_forwards_readiness_without_limit() {
    let (mut svc, mut handle) = mock::spawn_layer::<&str, &str, _>(TimeoutLayer::new(LIMIT));
    handle.allow(0);
    assert_pending!(svc.poll_ready());
    tokio::time::advance(LIMIT * 10).await;
    assert_pending!(svc.poll_ready());
    handle.allow(1);
    assert_ready_ok!(svc.poll_ready());
}

#[tokio::test(start_paused = true)]
async fn timeout_drops_inner_future_at_limit() {
    let held = Arc::new(());
    let weak = Arc::downgrade(&held);
    let mut held = Some(held);
    let mut svc = Timeout::new(
        service_fn(move |()| {
            let held = held.take();
            async move {
                let result = pending::<Result<(), BoxError>>().await;
                drop(held);
                result
            }
        }),
        LIMIT,
    );
    let mut fut = task::spawn(svc.call(()));
    assert_pending!(fut.poll());
    assert_eq!(weak.strong_count(), 1);
    tokio::time::advance(LIMIT * 2).await;
    assert_ready_err!(fut.poll());
    assert_eq!(weak.strong_count(), 0, "the inner future is still alive");
}

#[test]
fn timeout_needs_no_runtime_when_inner_is_ready() {
    let svc = TimeoutLayer::new(LIMIT).layer(service_fn(|()| async { Ok::<_, BoxError>(1) }));
    assert_eq!(svc.oneshot(()).now_or_never().unwrap().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn timeout_never_fires_at_maximum_duration() {
    let mut svc = Timeout::new(service_fn(|()| pending::<Result<(), BoxError>>()), Duration::MAX);
    let mut fut = task::spawn(svc.call(()));
    tokio::time::advance(Duration::from_secs(u32::MAX.into())).await;
    assert_pending!(fut.poll());
}

// Uses the real clock, because a paused clock does not advance while a task is busy.
#[tokio::test]
async fn timeout_fires_when_inner_spends_coop_budget() {
    let busy = || {
        poll_fn(|cx| {
            while tokio::task::coop::has_budget_remaining() {
                let _ = std::pin::pin!(tokio::task::coop::consume_budget()).poll(cx);
            }
            cx.waker().wake_by_ref();
            Poll::<Result<(), BoxError>>::Pending
        })
    };
    let svc = Timeout::new(service_fn(move |()| busy()), Duration::from_millis(20));
    let err =
        tokio::time::timeout(Duration::from_secs(5), svc.oneshot(())).await.unwrap().unwrap_err();
    assert!(err.is::<Elapsed>());
}

#[tokio::test(start_paused = true)]
async fn classifier_maps_elapsed_to_response_timeout() {
    let svc = Timeout::new(service_fn(|()| pending::<Result<(), BoxError>>()), LIMIT);
    let error = svc.oneshot(()).await.unwrap_err();
    let failure = classify_error(&*error);
    assert_eq!(failure.cause(), Cause::HttpResponseTimeout);
    assert_eq!(failure.processed(), Processed::Maybe);
}

#[tokio::test(start_paused = true)]
async fn timeout_returns_error_of_inner_service() {
    let svc = Timeout::new(service_fn(async |()| Err::<(), _>(std::fmt::Error)), LIMIT);
    assert!(svc.oneshot(()).await.unwrap_err().is::<std::fmt::Error>());
}

#[tokio::test(start_paused = true)]
async fn closure_sets_limit_per_call() {
    let layer = TimeoutLayer::from_fn(|request: &http::Request<_>| match request.uri().path() {
        "/slow" => Some(LIMIT * 10),
        _ => Some(LIMIT),
    });
    let service = layer.layer(service_fn(|_: http::Request<()>| {
        pending::<Result<http::Response<()>, BoxError>>()
    }));
    for (path, limit) in [("/slow", LIMIT * 10), ("/", LIMIT)] {
        let request = http::Request::get(path).body(()).unwrap();
        let started = tokio::time::Instant::now();
        let error = service.clone().oneshot(request).await.unwrap_err();
        assert_eq!(error.downcast_ref::<Elapsed>().unwrap().limit(), limit);
        let took = started.elapsed();
        assert!(limit <= took && took <= limit + TICK, "{path}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn closure_accepts_any_request_and_no_limit() {
    let layer = TimeoutLayer::from_fn(|text: &String| (text != "unlimited").then_some(LIMIT));
    let service = layer.layer(service_fn(|_: String| pending::<Result<(), BoxError>>()));
    let mut call = task::spawn(service.clone().oneshot("unlimited".into()));
    assert_pending!(call.poll());
    tokio::time::advance(Duration::from_secs(u32::MAX.into())).await;
    assert_pending!(call.poll());
    assert!(service.oneshot("limited".into()).await.unwrap_err().is::<Elapsed>());
}

#[tokio::test(start_paused = true)]
async fn timeout_fires_within_tick_when_inner_spends_budget() {
    let mut svc = Timeout::new(
        service_fn(|()| crate::support::busy_pending::<Result<(), BoxError>>()),
        LIMIT,
    );
    let mut call = task::spawn(svc.call(()));
    assert_pending!(call.poll());
    assert!(call.is_woken());
    tokio::time::advance(LIMIT.saturating_sub(TICK)).await;
    assert_pending!(call.poll());
    tokio::time::advance(TICK * 2).await;
    assert!(assert_ready_err!(call.poll()).is::<Elapsed>());
}
