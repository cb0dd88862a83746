//! Tests of `InFlightLimitLayer`, which counts each call until the end of its response body.

mod adaptive;
mod slower_upstream;
mod unread;

use std::{num::NonZeroU32, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use seawall::{
    BoxError, Cause, Processed,
    circuit_breaker::{CircuitBreakerLayer, State},
    classify::classify_error,
    error_response::ErrorResponseLayer,
    find_source,
    in_flight::{InFlightLimitLayer, LimitReached},
    keys::by_authority,
    retry::RetryLayer,
    test_util::{FlakyService, Step},
};
use tokio_test::{assert_pending, task};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{ScriptedBody, Step as BodyStep, response, upstream};

type Body = Full<Bytes>;

fn max_calls(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

fn get() -> Request<Body> {
    get_from("http://upstream/")
}

fn get_from(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::default()).unwrap()
}

fn silent_upstream() -> FlakyService {
    upstream(Step::silent())
}

#[tokio::test(start_paused = true)]
async fn call_beyond_limit_is_rejected_at_once() {
    let script = silent_upstream();
    let layer = InFlightLimitLayer::new(max_calls(3));
    let service = layer.layer(script.clone());
    let mut calls: Vec<_> = (0..3).map(|_| task::spawn(service.clone().oneshot(get()))).collect();
    for call in &mut calls {
        assert_pending!(call.poll());
    }
    let error = service.clone().oneshot(get()).await.unwrap_err();
    let rejection = find_source::<LimitReached>(&*error).unwrap();
    assert_eq!((rejection.key(), rejection.limit()), (None, max_calls(3)));
    assert_eq!(error.to_string(), "limit of 3 calls in flight reached");
    let failure = classify_error(&*error);
    assert_eq!(failure.cause(), Cause::ConnectionLimitReached);
    assert_eq!(failure.processed(), Processed::No);
    assert_eq!(failure.retry_after(), Some(Duration::from_secs(1)));
    assert_eq!((script.requests(), layer.in_flight()), (3, 3));
    drop(calls.pop());
    assert_eq!(layer.in_flight(), 2);
}

#[tokio::test(start_paused = true)]
async fn permit_is_held_until_body_end() {
    let layer = InFlightLimitLayer::new(max_calls(1));
    let inner = service_fn(|_: Request<Body>| {
        let steps = [BodyStep::Data("a".into()), BodyStep::Data("b".into())];
        std::future::ready(Ok::<_, BoxError>(Response::new(ScriptedBody::new(steps))))
    });
    let service = layer.layer(inner);
    // Read to its end.
    let response = service.clone().oneshot(get()).await.unwrap();
    assert_eq!(layer.in_flight(), 1);
    assert!(service.clone().oneshot(get()).await.is_err());
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ab");
    assert_eq!(layer.in_flight(), 0);
    // Dropped before its end.
    let mut body = Box::pin(service.clone().oneshot(get()).await.unwrap().into_body());
    body.frame().await.unwrap().unwrap();
    assert_eq!(layer.in_flight(), 1);
    drop(body);
    assert_eq!(layer.in_flight(), 0);
    // An empty body, and a body that fails.
    for steps in [vec![], vec![BodyStep::Error]] {
        let inner = service_fn(move |_: Request<Body>| {
            std::future::ready(Ok::<_, BoxError>(Response::new(ScriptedBody::new(steps.clone()))))
        });
        let response = layer.layer(inner).oneshot(get()).await.unwrap();
        let _ = response.into_body().collect().await;
        assert_eq!(layer.in_flight(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn error_or_panic_releases_permit() {
    let layer = InFlightLimitLayer::new(max_calls(1));
    layer.layer(upstream(Step::reset())).oneshot(get()).await.unwrap_err();
    assert_eq!(layer.in_flight(), 0);
    let panicking =
        service_fn(|_: Request<Body>| -> std::future::Ready<Result<Response<Body>, BoxError>> {
            panic!("panic on purpose")
        });
    let call = tokio::spawn(layer.layer(panicking).oneshot(get()));
    assert!(call.await.unwrap_err().is_panic());
    assert_eq!(layer.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn completed_future_holds_no_permit_after_error() {
    let layer = InFlightLimitLayer::new(max_calls(1));
    let mut call = task::spawn(layer.layer(upstream(Step::refuse())).call(get()));
    assert!(call.poll().is_ready());
    assert_eq!(layer.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn each_key_has_own_limit_and_keyless_requests_have_none() {
    let script = silent_upstream();
    let layer = InFlightLimitLayer::new(max_calls(1)).per_key(by_authority);
    let service = layer.layer(script);
    let mut calls = Vec::new();
    let mut start_call = |uri| {
        let mut call = task::spawn(service.clone().oneshot(get_from(uri)));
        let rejection = match call.poll() {
            std::task::Poll::Ready(outcome) => Some(outcome.unwrap_err()),
            std::task::Poll::Pending => None,
        };
        calls.push(call);
        rejection
    };
    assert!(start_call("http://a/").is_none());
    assert!(start_call("http://b/").is_none());
    let error = start_call("http://a/x").unwrap();
    assert_eq!(find_source::<LimitReached>(&*error).unwrap().key(), Some("a"));
    assert_eq!(error.to_string(), "limit of 1 calls in flight reached for \"a\"");
    for _ in 0..50 {
        assert!(start_call("/").is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn non_http_call_holds_permit_until_response() {
    let layer = InFlightLimitLayer::new(max_calls(1))
        .until_response()
        .per_request_key(|request: &String| Some(request.as_str().into()));
    let service = layer.layer(service_fn(async |request: String| match &*request {
        "hang" => std::future::pending().await,
        _ => Ok::<_, BoxError>(request),
    }));
    for _ in 0..3 {
        assert_eq!(service.clone().oneshot("hi".into()).await.unwrap(), "hi");
    }
    let mut call = task::spawn(service.clone().oneshot("hang".into()));
    assert_pending!(call.poll());
    assert!(service.oneshot("hang".into()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn rejected_call_releases_inner_permit() {
    let script = silent_upstream();
    let limited = ServiceBuilder::new().concurrency_limit(2).service(script.clone());
    let layer = InFlightLimitLayer::new(max_calls(1));
    let mut busy = task::spawn(layer.layer(limited.clone()).oneshot(get()));
    assert_pending!(busy.poll());
    let mut service = layer.layer(limited.clone());
    let ready = ServiceExt::<Request<Body>>::ready(&mut service).await.unwrap();
    assert!(ready.call(get()).await.is_err());
    // The second permit is free although `service` is alive.
    let mut other = limited;
    let ready = ServiceExt::<Request<Body>>::ready(&mut other);
    assert!(task::spawn(ready).poll().is_ready());
    drop(service);
}

#[tokio::test(start_paused = true)]
async fn rejection_returns_503_without_retry_or_breaker_count() {
    let script = silent_upstream();
    let limit = InFlightLimitLayer::new(max_calls(1));
    let breaker = CircuitBreakerLayer::new().min_calls(1);
    let stack = ServiceBuilder::new()
        .layer(ErrorResponseLayer::new("edge"))
        .layer(RetryLayer::new())
        .layer(breaker.clone())
        .layer(limit)
        .service(script.clone());
    let mut busy = task::spawn(stack.clone().oneshot(get()));
    assert_pending!(busy.poll());
    let response = stack.oneshot(get()).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(response.headers()["proxy-status"], "edge;error=connection_limit_reached");
    assert_eq!((script.requests(), breaker.handle().state()), (1, State::Closed));
    assert_eq!(breaker.handle().snapshot().calls(), 0);
}

/// Uses real threads, so that calls overlap.
#[test]
fn threads_never_exceed_limit_in_flight() {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    let layer = InFlightLimitLayer::new(max_calls(3));
    let (in_flight, highest) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let inner = service_fn(async |_: Request<Body>| {
                    let calls = in_flight.fetch_add(1, Ordering::SeqCst) + 1;
                    highest.fetch_max(calls, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    in_flight.fetch_sub(1, Ordering::SeqCst);
                    Ok::<_, BoxError>(response::<Body>(200))
                });
                let service = layer.layer(inner);
                runtime.block_on(async {
                    for _ in 0..2_000 {
                        let calls = (0..4).map(|_| service.clone().oneshot(get()));
                        futures_util::future::join_all(calls).await;
                    }
                });
            });
        }
    });
    assert_eq!((highest.load(Ordering::SeqCst), layer.in_flight()), (3, 0));
}
