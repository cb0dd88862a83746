//! Tests of `DeadlineLayer`.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use seawall::{
    BoxError, Cause, Deadline, Elapsed, Processed, TimeoutKind,
    classify::classify_error,
    deadline::{
        DeadlineLayer,
        TimeoutHeader::{self, EnvoyExpected, Grpc},
    },
    error_response::ErrorResponseLayer,
    find_source,
    retry::{Backoff, RetriesExhausted, RetryLayer, RetryReport, StopReason},
    test_util::Step,
    timeout::TimeoutLayer,
};
use tokio::time::{Instant, advance};
use tokio_test::{assert_pending, assert_ready_err, task};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_test::mock;

use crate::support::{busy_pending, respond_with, response, upstream};

type Body = Full<Bytes>;
type CallResult = Result<Response<Body>, BoxError>;

const SECOND: Duration = Duration::from_secs(1);
const YEAR: Duration = Duration::from_secs(365 * 86_400);
const LAYER_TIMEOUT: Duration = Duration::from_secs(10);
/// The resolution of tokio's timers.
const TIMER_RESOLUTION: Duration = Duration::from_millis(1);

fn get() -> Request<Body> {
    Request::get("http://upstream/").body(Body::default()).unwrap()
}

fn with_deadline(timeout: Duration) -> Request<Body> {
    let mut request = get();
    request.extensions_mut().insert(Deadline::within(timeout));
    request
}

fn with_header(header: TimeoutHeader, values: &[&[u8]]) -> Request<Body> {
    let mut request = get();
    for value in values {
        let value = HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append(header.as_str(), value);
    }
    request
}

/// Returns the time until a call without a response fails.
async fn time_limit(layer: &DeadlineLayer, request: Request<Body>) -> Duration {
    let started = Instant::now();
    let silent = layer.layer(service_fn(|_: Request<Body>| pending::<CallResult>()));
    let error = silent.oneshot(request).await.unwrap_err();
    let (time, elapsed) = (started.elapsed(), error.downcast_ref::<Elapsed>().unwrap().clone());
    assert!(
        elapsed.limit() <= time && time <= elapsed.limit() + TIMER_RESOLUTION,
        "expected {elapsed:?}, found {time:?}"
    );
    elapsed.limit()
}

#[tokio::test(start_paused = true)]
async fn deadline_layer_fails_at_deadline_and_not_before() {
    let layer = DeadlineLayer::new(LAYER_TIMEOUT);
    let (mut service, mut handle) = mock::spawn_layer::<Request<Body>, Response<Body>, _>(layer);
    tokio_test::assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call(get()));
    let _pending_request = handle.next_request().await.unwrap();
    assert_pending!(call.poll());
    advance(LAYER_TIMEOUT.saturating_sub(TIMER_RESOLUTION)).await;
    assert_pending!(call.poll());
    advance(TIMER_RESOLUTION * 2).await;
    assert!(call.is_woken());
    let error = assert_ready_err!(call.poll());
    let elapsed = error.downcast_ref::<Elapsed>().unwrap();
    assert_eq!((elapsed.limit(), elapsed.kind()), (LAYER_TIMEOUT, TimeoutKind::Deadline));
    assert_eq!(error.to_string(), "no response by the deadline, 10s after the call");
    let failure = classify_error(&*error);
    assert_eq!(
        (failure.cause(), failure.processed()),
        (Cause::HttpResponseTimeout, Processed::Maybe)
    );
}

#[tokio::test(start_paused = true)]
async fn deadline_layer_applies_earlier_of_own_and_caller_deadline() {
    let layer = DeadlineLayer::new(LAYER_TIMEOUT);
    assert_eq!(time_limit(&layer, get()).await, LAYER_TIMEOUT);
    assert_eq!(time_limit(&layer, with_deadline(SECOND)).await, SECOND);
    assert_eq!(time_limit(&layer, with_deadline(LAYER_TIMEOUT * 2)).await, LAYER_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn deadline_layer_applies_header_only_when_trusted_and_earlier() {
    for (header, sooner, later) in
        [(Grpc, &b"2S"[..], &b"99999999H"[..]), (EnvoyExpected, b"2000", b"18446744073709551615")]
    {
        let layer = DeadlineLayer::new(LAYER_TIMEOUT);
        assert_eq!(time_limit(&layer, with_header(header, &[sooner])).await, LAYER_TIMEOUT);
        let layer = layer.trust_header(header);
        assert_eq!(time_limit(&layer, with_header(header, &[sooner])).await, SECOND * 2);
        assert_eq!(time_limit(&layer, with_header(header, &[later])).await, LAYER_TIMEOUT);
        assert_eq!(time_limit(&layer, get()).await, LAYER_TIMEOUT);
        assert_eq!(layer.invalid_headers(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn deadline_layer_caps_header_timeout_at_thirty_years() {
    let layer = DeadlineLayer::new(Duration::MAX).trust_header(Grpc).trust_header(EnvoyExpected);
    for (header, max) in [(Grpc, &b"99999999H"[..]), (EnvoyExpected, b"18446744073709551615")] {
        assert_eq!(time_limit(&layer, with_header(header, &[max])).await, YEAR * 30);
    }
    assert_eq!(layer.invalid_headers(), 0);
}

#[tokio::test(start_paused = true)]
async fn deadline_layer_applies_earliest_of_headers_extension_and_setting() {
    let layer = DeadlineLayer::new(LAYER_TIMEOUT).trust_header(Grpc).trust_header(EnvoyExpected);
    for (grpc, envoy, extension, expected) in
        [(1, 2, 3, 1), (2, 1, 3, 1), (3, 2, 1, 1), (20, 30, 40, 10)]
    {
        let mut request = with_deadline(SECOND * extension);
        request.headers_mut().insert(Grpc.as_str(), Grpc.value(SECOND * grpc));
        request.headers_mut().insert(EnvoyExpected.as_str(), EnvoyExpected.value(SECOND * envoy));
        assert_eq!(time_limit(&layer, request).await, SECOND * expected);
    }
}

#[tokio::test(start_paused = true)]
async fn deadline_layer_ignores_and_counts_invalid_headers() {
    let layer = DeadlineLayer::new(LAYER_TIMEOUT).trust_header(Grpc).trust_header(EnvoyExpected);
    let mut invalid = 0;
    let grpc: [&[&[u8]]; 8] = [
        &[b""],
        &[b"-1S"],
        &[b"5"],
        &[b"1s"],
        &[b"999999999S"],
        &[b"soon"],
        &[b"\xff\xfe"],
        &[b"1S", b"2S"],
    ];
    let envoy: [&[&[u8]]; 6] =
        [&[b""], &[b"-5"], &[b"0"], &[b"1e3"], &[b"99999999999999999999"], &[b"10", b"10"]];
    let cases =
        grpc.iter().map(|it| (Grpc, *it)).chain(envoy.iter().map(|it| (EnvoyExpected, *it)));
    for (header, values) in cases {
        assert_eq!(
            time_limit(&layer, with_header(header, values)).await,
            LAYER_TIMEOUT,
            "{values:?}"
        );
        invalid += 1;
        assert_eq!(layer.invalid_headers(), invalid, "{values:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn deadline_layer_does_not_call_inner_service_when_expired() {
    let layer = DeadlineLayer::new(LAYER_TIMEOUT).trust_header(Grpc);
    let expired = with_deadline(SECOND);
    advance(SECOND).await;
    for (layer, request) in [
        (layer.clone(), expired),
        (layer, with_header(Grpc, &[b"0S"])),
        (DeadlineLayer::new(Duration::ZERO), get()),
    ] {
        let script = upstream(Step::silent());
        let error = layer.layer(script.clone()).oneshot(request).await.unwrap_err();
        let elapsed = error.downcast_ref::<Elapsed>().unwrap();
        assert_eq!((elapsed.limit(), elapsed.kind()), (Duration::ZERO, TimeoutKind::BeforeCall));
        let failure = classify_error(&*error);
        assert_eq!(
            (failure.cause(), failure.processed()),
            (Cause::HttpResponseTimeout, Processed::No)
        );
        assert_eq!(script.requests(), 0);
    }
}

/// Returns the remaining time of the deadline that the inner service receives.
async fn inner_deadline(layer: &DeadlineLayer, request: Request<Body>) -> Option<Duration> {
    let deadline = Arc::new(Mutex::new(None));
    let inner = service_fn(|request: Request<Body>| {
        *deadline.lock().unwrap() = request.extensions().get::<Deadline>().map(Deadline::remaining);
        async { CallResult::Ok(Response::default()) }
    });
    layer.layer(inner).oneshot(request).await.unwrap();
    deadline.lock().unwrap().take()
}

#[tokio::test(start_paused = true)]
async fn deadline_layer_propagates_deadline_unless_disabled() {
    let layer = DeadlineLayer::new(LAYER_TIMEOUT).trust_header(Grpc);
    assert_eq!(inner_deadline(&layer, get()).await, Some(LAYER_TIMEOUT));
    assert_eq!(inner_deadline(&layer, with_deadline(SECOND)).await, Some(SECOND));
    assert_eq!(inner_deadline(&layer, with_deadline(LAYER_TIMEOUT * 2)).await, Some(LAYER_TIMEOUT));
    assert_eq!(inner_deadline(&layer, with_header(Grpc, &[b"2S"])).await, Some(SECOND * 2));
    let layer = layer.propagate(false);
    assert_eq!(inner_deadline(&layer, get()).await, None);
    assert_eq!(inner_deadline(&layer, with_deadline(SECOND)).await, Some(SECOND));
}

#[tokio::test(start_paused = true)]
async fn deadline_layer_never_fails_when_timeout_is_maximum() {
    let silent = DeadlineLayer::new(Duration::MAX)
        .include_body(true)
        .layer(service_fn(|_: Request<Body>| pending::<CallResult>()));
    let mut call = task::spawn(silent.oneshot(get()));
    assert_pending!(call.poll());
    advance(Duration::from_secs(86_400 * 365)).await;
    assert_pending!(call.poll());
}

#[tokio::test(start_paused = true)]
async fn ready_response_precedes_expired_deadline() {
    let layer = DeadlineLayer::new(SECOND);
    let (mut service, mut handle) = mock::spawn_layer::<Request<Body>, Response<Body>, _>(layer);
    tokio_test::assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call(get()));
    handle.next_request().await.unwrap().1.send_response(response(200));
    advance(SECOND * 2).await;
    assert_eq!(tokio_test::assert_ready_ok!(call.poll()).status(), 200);
}

#[test]
fn ready_response_needs_no_runtime() {
    for include_body in [false, true] {
        let service = DeadlineLayer::new(LAYER_TIMEOUT)
            .include_body(include_body)
            .layer(service_fn(async |_: Request<Body>| CallResult::Ok(Response::new("hi".into()))));
        let call = async { service.oneshot(get()).await.unwrap().into_body().collect().await };
        assert_eq!(call.now_or_never().unwrap().unwrap().to_bytes(), "hi");
    }
}

#[tokio::test(start_paused = true)]
async fn deadline_layer_limits_body_only_when_included() {
    for include_body in [false, true] {
        let script = upstream(Step::ok("hi").body_delay(Duration::MAX));
        let service = DeadlineLayer::new(LAYER_TIMEOUT).include_body(include_body).layer(script);
        let started = Instant::now();
        let response = service.oneshot(get()).await.unwrap();
        // The time of the body counts toward the same deadline.
        advance(SECOND).await;
        let body = tokio::time::timeout(LAYER_TIMEOUT * 2, response.into_body().collect()).await;
        assert_eq!(body.is_ok(), include_body);
        if let Ok(body) = body {
            let error = body.unwrap_err();
            let elapsed = error.downcast_ref::<Elapsed>().unwrap();
            assert_eq!(
                (elapsed.limit(), elapsed.kind()),
                (LAYER_TIMEOUT, TimeoutKind::DeadlineBody)
            );
            let time = started.elapsed();
            assert!(LAYER_TIMEOUT <= time && time <= LAYER_TIMEOUT + TIMER_RESOLUTION, "{time:?}");
            let failure = classify_error(&*error);
            assert_eq!(
                (failure.cause(), failure.processed()),
                (Cause::HttpResponseTimeout, Processed::Yes)
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn deadline_fires_on_time_when_inner_future_spends_coop_budget() {
    let mut service = DeadlineLayer::new(LAYER_TIMEOUT)
        .layer(service_fn(|_: Request<Body>| busy_pending::<CallResult>()));
    let mut call = task::spawn(service.call(get()));
    assert_pending!(call.poll());
    assert!(call.is_woken());
    advance(LAYER_TIMEOUT.saturating_sub(TIMER_RESOLUTION)).await;
    assert_pending!(call.poll());
    advance(TIMER_RESOLUTION * 2).await;
    assert!(assert_ready_err!(call.poll()).is::<Elapsed>());
}

#[tokio::test(start_paused = true)]
async fn deadline_layer_drops_inner_future_when_dropped_or_expired() {
    let held = Arc::new(());
    let mut service = DeadlineLayer::new(LAYER_TIMEOUT).layer(service_fn(|_: Request<Body>| {
        let held = Arc::clone(&held);
        async move {
            let result = pending::<CallResult>().await;
            drop(held);
            result
        }
    }));
    let mut dropped = task::spawn(service.call(get()));
    let mut expired = task::spawn(service.call(get()));
    assert_pending!(dropped.poll());
    assert_pending!(expired.poll());
    assert_eq!(Arc::strong_count(&held), 3);
    drop(dropped);
    assert_eq!(Arc::strong_count(&held), 2);
    advance(LAYER_TIMEOUT + TIMER_RESOLUTION).await;
    assert_ready_err!(expired.poll());
    assert_eq!(
        Arc::strong_count(&held),
        1,
        "expected the inner future to be dropped before `expired`"
    );
}

#[tokio::test(start_paused = true)]
async fn deadline_layer_returns_inner_error_unchanged() {
    let failing = service_fn(async |_: Request<Body>| Err::<Response<Body>, _>(std::fmt::Error));
    let error = DeadlineLayer::new(LAYER_TIMEOUT).layer(failing).oneshot(get()).await.unwrap_err();
    assert!(error.is::<std::fmt::Error>());
}

#[tokio::test(start_paused = true)]
async fn retry_layer_returns_last_response_when_deadline_is_too_near() {
    let script = respond_with(&[502, 503]);
    let client = ServiceBuilder::new()
        .layer(DeadlineLayer::new(SECOND * 5))
        .layer(RetryLayer::new().backoff(Backoff::constant(SECOND * 3)))
        .service(script.clone());
    let started = Instant::now();
    let response = client.oneshot(get()).await.unwrap();
    // The second attempt ends at 3 s. A third would start at 6 s, after the deadline.
    assert_eq!((response.status().as_u16(), script.requests()), (503, 2));
    let report = response.extensions().get::<RetryReport>().unwrap();
    assert_eq!(report.stop_reason(), Some(StopReason::DeadlineTooNear));
    let time = started.elapsed();
    assert!(time >= SECOND * 3 && time < SECOND * 4, "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn retry_layer_returns_error_when_deadline_is_too_near() {
    let script = upstream(Step::silent());
    let client = ServiceBuilder::new()
        .layer(DeadlineLayer::new(SECOND * 5))
        .layer(RetryLayer::new().backoff(Backoff::none()).min_attempt_time(SECOND * 2))
        .layer(TimeoutLayer::new(SECOND * 2))
        .service(script.clone());
    let started = Instant::now();
    let error = client.oneshot(get()).await.unwrap_err();
    let exhausted = find_source::<RetriesExhausted>(&*error).unwrap();
    assert_eq!(
        (exhausted.stop_reason(), exhausted.attempts().get()),
        (StopReason::DeadlineTooNear, 2)
    );
    let kind = find_source::<Elapsed>(&*error).map(Elapsed::kind);
    assert_eq!(kind, Some(TimeoutKind::ResponseHead));
    assert!(started.elapsed() <= SECOND * 4 + TIMER_RESOLUTION * 2);
}

#[tokio::test(start_paused = true)]
async fn server_returns_504_when_deadline_expires_during_attempt() {
    let script = upstream(Step::silent());
    let server = ServiceBuilder::new()
        .layer(ErrorResponseLayer::new("edge"))
        .layer(DeadlineLayer::new(SECOND * 5))
        .layer(RetryLayer::new().backoff(Backoff::none()))
        .layer(TimeoutLayer::new(SECOND * 2))
        .service(script.clone());
    let started = Instant::now();
    let response = server.oneshot(get()).await.unwrap();
    assert!(started.elapsed() <= SECOND * 5 + TIMER_RESOLUTION);
    assert_eq!((response.status().as_u16(), script.requests()), (504, 3));
    assert_eq!(response.headers()["proxy-status"], "edge;error=http_response_timeout");
}

#[tokio::test(start_paused = true)]
async fn server_returns_504_without_attempt_when_deadline_is_expired() {
    let script = upstream(Step::silent());
    let server = ServiceBuilder::new()
        .layer(ErrorResponseLayer::new("edge"))
        .layer(DeadlineLayer::new(LAYER_TIMEOUT))
        .layer(RetryLayer::new())
        .service(script.clone());
    let response = server.oneshot(with_deadline(Duration::ZERO)).await.unwrap();
    assert_eq!((response.status().as_u16(), script.requests()), (504, 0));
}
