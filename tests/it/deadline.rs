//! `DeadlineLayer`.

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
    BoxError, Cause, Deadline, Processed,
    classify::classify_error,
    deadline::{
        DeadlineLayer, Elapsed,
        TimeoutHeader::{self, EnvoyExpected, Grpc},
        TimeoutKind,
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

use crate::support::{answers, hog, response, upstream};

type Body = Full<Bytes>;
type Answer = Result<Response<Body>, BoxError>;

const SECOND: Duration = Duration::from_secs(1);
const YEAR: Duration = Duration::from_secs(365 * 86_400);
const OWN: Duration = Duration::from_secs(10);
/// Of tokio's timers.
const TICK: Duration = Duration::from_millis(1);

fn get() -> Request<Body> {
    Request::get("http://upstream/").body(Body::default()).unwrap()
}

fn due(left: Duration) -> Request<Body> {
    let mut request = get();
    request.extensions_mut().insert(Deadline::within(left));
    request
}

fn with(header: TimeoutHeader, values: &[&[u8]]) -> Request<Body> {
    let mut request = get();
    for value in values {
        let value = HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append(header.as_str(), value);
    }
    request
}

/// How long a call may take that is never answered.
async fn allowed(layer: &DeadlineLayer, request: Request<Body>) -> Duration {
    let started = Instant::now();
    let silent = layer.layer(service_fn(|_: Request<Body>| pending::<Answer>()));
    let error = silent.oneshot(request).await.unwrap_err();
    let (took, elapsed) = (started.elapsed(), error.downcast_ref::<Elapsed>().unwrap().clone());
    assert!(elapsed.limit() <= took && took <= elapsed.limit() + TICK, "{elapsed:?} {took:?}");
    elapsed.limit()
}

#[tokio::test(start_paused = true)]
async fn it_fails_at_the_deadline_and_not_before() {
    let layer = DeadlineLayer::new(OWN);
    let (mut service, mut handle) = mock::spawn_layer::<Request<Body>, Response<Body>, _>(layer);
    tokio_test::assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call(get()));
    let _unanswered = handle.next_request().await.unwrap();
    assert_pending!(call.poll());
    advance(OWN.saturating_sub(TICK)).await;
    assert_pending!(call.poll());
    advance(TICK * 2).await;
    assert!(call.is_woken());
    let error = assert_ready_err!(call.poll());
    let elapsed = error.downcast_ref::<Elapsed>().unwrap();
    assert_eq!((elapsed.limit(), elapsed.kind()), (OWN, TimeoutKind::Deadline));
    assert_eq!(error.to_string(), "no response by the deadline, 10s after the call");
    let failure = classify_error(&*error);
    assert_eq!(
        (failure.cause(), failure.processed()),
        (Cause::HttpResponseTimeout, Processed::Maybe)
    );
}

#[tokio::test(start_paused = true)]
async fn the_sooner_of_its_own_and_the_caller_s_holds() {
    let layer = DeadlineLayer::new(OWN);
    assert_eq!(allowed(&layer, get()).await, OWN);
    assert_eq!(allowed(&layer, due(SECOND)).await, SECOND);
    assert_eq!(allowed(&layer, due(OWN * 2)).await, OWN);
}

#[tokio::test(start_paused = true)]
async fn a_header_is_believed_only_if_trusted_and_only_if_sooner() {
    for (header, sooner, later) in
        [(Grpc, &b"2S"[..], &b"99999999H"[..]), (EnvoyExpected, b"2000", b"18446744073709551615")]
    {
        let layer = DeadlineLayer::new(OWN);
        assert_eq!(allowed(&layer, with(header, &[sooner])).await, OWN);
        let layer = layer.trust_header(header);
        assert_eq!(allowed(&layer, with(header, &[sooner])).await, SECOND * 2);
        assert_eq!(allowed(&layer, with(header, &[later])).await, OWN);
        assert_eq!(allowed(&layer, get()).await, OWN);
        assert_eq!(layer.invalid_headers(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn of_the_longest_times_that_can_be_said_thirty_years_are_left() {
    let layer = DeadlineLayer::new(Duration::MAX).trust_header(Grpc).trust_header(EnvoyExpected);
    for (header, most) in [(Grpc, &b"99999999H"[..]), (EnvoyExpected, b"18446744073709551615")] {
        assert_eq!(allowed(&layer, with(header, &[most])).await, YEAR * 30);
    }
    assert_eq!(layer.invalid_headers(), 0);
}

#[tokio::test(start_paused = true)]
async fn of_header_extension_and_own_the_soonest_holds() {
    let layer = DeadlineLayer::new(OWN).trust_header(Grpc).trust_header(EnvoyExpected);
    for (grpc, envoy, extension, expected) in
        [(1, 2, 3, 1), (2, 1, 3, 1), (3, 2, 1, 1), (20, 30, 40, 10)]
    {
        let mut request = due(SECOND * extension);
        request.headers_mut().insert(Grpc.as_str(), Grpc.value(SECOND * grpc));
        request.headers_mut().insert(EnvoyExpected.as_str(), EnvoyExpected.value(SECOND * envoy));
        assert_eq!(allowed(&layer, request).await, SECOND * expected);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_deadline_is_ignored_and_counted_and_no_error() {
    let layer = DeadlineLayer::new(OWN).trust_header(Grpc).trust_header(EnvoyExpected);
    let mut bad = 0;
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
    let all = grpc.iter().map(|it| (Grpc, *it)).chain(envoy.iter().map(|it| (EnvoyExpected, *it)));
    for (header, values) in all {
        assert_eq!(allowed(&layer, with(header, values)).await, OWN, "{values:?}");
        bad += 1;
        assert_eq!(layer.invalid_headers(), bad, "{values:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_passed_fails_before_the_inner_service_is_called() {
    let layer = DeadlineLayer::new(OWN).trust_header(Grpc);
    let late = due(SECOND);
    advance(SECOND).await;
    for (layer, request) in [
        (layer.clone(), late),
        (layer, with(Grpc, &[b"0S"])),
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

/// What of a deadline the inner service is told.
async fn told(layer: &DeadlineLayer, request: Request<Body>) -> Option<Duration> {
    let told = Arc::new(Mutex::new(None));
    let inner = service_fn(|request: Request<Body>| {
        *told.lock().unwrap() = request.extensions().get::<Deadline>().map(Deadline::remaining);
        async { Answer::Ok(Response::default()) }
    });
    layer.layer(inner).oneshot(request).await.unwrap();
    told.lock().unwrap().take()
}

#[tokio::test(start_paused = true)]
async fn inner_layers_are_told_unless_it_is_switched_off() {
    let layer = DeadlineLayer::new(OWN).trust_header(Grpc);
    assert_eq!(told(&layer, get()).await, Some(OWN));
    assert_eq!(told(&layer, due(SECOND)).await, Some(SECOND));
    assert_eq!(told(&layer, due(OWN * 2)).await, Some(OWN));
    assert_eq!(told(&layer, with(Grpc, &[b"2S"])).await, Some(SECOND * 2));
    let layer = layer.propagate(false);
    assert_eq!(told(&layer, get()).await, None);
    assert_eq!(told(&layer, due(SECOND)).await, Some(SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_in_no_hurry_never_fails() {
    let silent = DeadlineLayer::new(Duration::MAX)
        .include_body(true)
        .layer(service_fn(|_: Request<Body>| pending::<Answer>()));
    let mut call = task::spawn(silent.oneshot(get()));
    assert_pending!(call.poll());
    advance(Duration::from_secs(86_400 * 365)).await;
    assert_pending!(call.poll());
}

#[tokio::test(start_paused = true)]
async fn a_response_that_is_there_beats_a_deadline_that_has_passed() {
    let layer = DeadlineLayer::new(SECOND);
    let (mut service, mut handle) = mock::spawn_layer::<Request<Body>, Response<Body>, _>(layer);
    tokio_test::assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call(get()));
    handle.next_request().await.unwrap().1.send_response(response(200));
    advance(SECOND * 2).await;
    assert_eq!(tokio_test::assert_ready_ok!(call.poll()).status(), 200);
}

#[test]
fn a_response_that_is_there_needs_no_runtime() {
    for with_body in [false, true] {
        let service = DeadlineLayer::new(OWN)
            .include_body(with_body)
            .layer(service_fn(async |_: Request<Body>| Answer::Ok(Response::new("hi".into()))));
        let call = async { service.oneshot(get()).await.unwrap().into_body().collect().await };
        assert_eq!(call.now_or_never().unwrap().unwrap().to_bytes(), "hi");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_may_take_longer_unless_the_deadline_is_for_the_whole() {
    for with_body in [false, true] {
        let script = upstream(Step::ok("hi").body_delay(Duration::MAX));
        let service = DeadlineLayer::new(OWN).include_body(with_body).layer(script);
        let started = Instant::now();
        let response = service.oneshot(get()).await.unwrap();
        // The clock goes on, and does not start anew with the body.
        advance(SECOND).await;
        let body = tokio::time::timeout(OWN * 2, response.into_body().collect()).await;
        assert_eq!(body.is_ok(), with_body);
        if let Ok(body) = body {
            let error = body.unwrap_err();
            let elapsed = error.downcast_ref::<Elapsed>().unwrap();
            assert_eq!((elapsed.limit(), elapsed.kind()), (OWN, TimeoutKind::DeadlineBody));
            let took = started.elapsed();
            assert!(OWN <= took && took <= OWN + TICK, "{took:?}");
            let failure = classify_error(&*error);
            assert_eq!(
                (failure.cause(), failure.processed()),
                (Cause::HttpResponseTimeout, Processed::Yes)
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_fires_within_a_tick_though_the_inner_future_spends_the_budget() {
    let mut service = DeadlineLayer::new(OWN).layer(service_fn(|_: Request<Body>| hog::<Answer>()));
    let mut call = task::spawn(service.call(get()));
    assert_pending!(call.poll());
    assert!(call.is_woken());
    advance(OWN.saturating_sub(TICK)).await;
    assert_pending!(call.poll());
    advance(TICK * 2).await;
    assert!(assert_ready_err!(call.poll()).is::<Elapsed>());
}

#[tokio::test(start_paused = true)]
async fn dropping_the_call_or_passing_the_deadline_drops_the_inner_one() {
    let held = Arc::new(());
    let mut service = DeadlineLayer::new(OWN).layer(service_fn(|_: Request<Body>| {
        let held = Arc::clone(&held);
        async move {
            let answer = pending::<Answer>().await;
            drop(held);
            answer
        }
    }));
    let mut dropped = task::spawn(service.call(get()));
    let mut late = task::spawn(service.call(get()));
    assert_pending!(dropped.poll());
    assert_pending!(late.poll());
    assert_eq!(Arc::strong_count(&held), 3);
    drop(dropped);
    assert_eq!(Arc::strong_count(&held), 2);
    advance(OWN + TICK).await;
    assert_ready_err!(late.poll());
    assert_eq!(Arc::strong_count(&held), 1, "`late` is still alive here");
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_inner_service_is_kept() {
    let failing = service_fn(async |_: Request<Body>| Err::<Response<Body>, _>(std::fmt::Error));
    let error = DeadlineLayer::new(OWN).layer(failing).oneshot(get()).await.unwrap_err();
    assert!(error.is::<std::fmt::Error>());
}

#[tokio::test(start_paused = true)]
async fn a_retry_inside_returns_the_last_answer_rather_than_begin_what_cannot_end_in_time() {
    let script = answers(&[502, 503]);
    let client = ServiceBuilder::new()
        .layer(DeadlineLayer::new(SECOND * 5))
        .layer(RetryLayer::new().backoff(Backoff::constant(SECOND * 3)))
        .service(script.clone());
    let started = Instant::now();
    let response = client.oneshot(get()).await.unwrap();
    // After the second attempt, at 3 s, another would begin at 6.
    assert_eq!((response.status().as_u16(), script.requests()), (503, 2));
    let attempts = response.extensions().get::<RetryReport>().unwrap();
    assert_eq!(attempts.stop_reason(), Some(StopReason::DeadlineTooNear));
    let took = started.elapsed();
    assert!(took >= SECOND * 3 && took < SECOND * 4, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_inside_gives_up_when_a_timeout_leaves_no_time_for_another() {
    let script = upstream(Step::silent());
    let client = ServiceBuilder::new()
        .layer(DeadlineLayer::new(SECOND * 5))
        .layer(RetryLayer::new().backoff(Backoff::none()).min_attempt_time(SECOND * 2))
        .layer(TimeoutLayer::new(SECOND * 2))
        .service(script.clone());
    let started = Instant::now();
    let error = client.oneshot(get()).await.unwrap_err();
    let gave_up = find_source::<RetriesExhausted>(&*error).unwrap();
    assert_eq!((gave_up.reason(), gave_up.attempts().get()), (StopReason::DeadlineTooNear, 2));
    let phase = find_source::<Elapsed>(&*error).map(Elapsed::kind);
    assert_eq!(phase, Some(TimeoutKind::ResponseHead));
    assert!(started.elapsed() <= SECOND * 4 + TICK * 2);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_under_way_ends_with_the_deadline_and_is_answered_504() {
    let script = upstream(Step::silent());
    let server = ServiceBuilder::new()
        .layer(ErrorResponseLayer::new("edge"))
        .layer(DeadlineLayer::new(SECOND * 5))
        .layer(RetryLayer::new().backoff(Backoff::none()))
        .layer(TimeoutLayer::new(SECOND * 2))
        .service(script.clone());
    let started = Instant::now();
    let response = server.oneshot(get()).await.unwrap();
    assert!(started.elapsed() <= SECOND * 5 + TICK);
    assert_eq!((response.status().as_u16(), script.requests()), (504, 3));
    assert_eq!(response.headers()["proxy-status"], "edge;error=http_response_timeout");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_passed_is_answered_504_and_not_sent() {
    let script = upstream(Step::silent());
    let server = ServiceBuilder::new()
        .layer(ErrorResponseLayer::new("edge"))
        .layer(DeadlineLayer::new(OWN))
        .layer(RetryLayer::new())
        .service(script.clone());
    let response = server.oneshot(due(Duration::ZERO)).await.unwrap();
    assert_eq!((response.status().as_u16(), script.requests()), (504, 0));
}
