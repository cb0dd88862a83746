//! `RetryLayer::total_timeout`: a time limit for all attempts of a call together.

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::Request;
use http_body_util::Full;
use seawall::{
    BoxError, Cause, Deadline, Elapsed, Processed, TimeoutKind,
    classify::classify_error,
    find_source,
    retry::{
        Backoff, Budget, RetriesExhausted, RetryLayer, RetryOverride, RetryReport, StopReason,
    },
    test_util::{FlakyService, Step},
};
use tokio::time::{Instant, timeout};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

const LIMIT: Duration = Duration::from_secs(2);

fn get() -> Request<Full<Bytes>> {
    Request::get("http://upstream/").body(Full::default()).unwrap()
}

fn retry_within_limit() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::none()).budget(Budget::none()).total_timeout(LIMIT)
}

fn elapsed(error: &BoxError) -> Elapsed {
    find_source::<Elapsed>(&**error).unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn retry_ends_call_when_total_timeout_passes_during_first_attempt() {
    let upstream = FlakyService::new(Step::silent()).unwrap();
    let started = Instant::now();
    let error = retry_within_limit().layer(upstream.clone()).oneshot(get()).await.unwrap_err();
    assert!(started.elapsed() >= LIMIT);
    assert!(started.elapsed() < LIMIT + Duration::from_millis(2));
    let elapsed =
        error.downcast_ref::<Elapsed>().expect("the error of a single attempt is not wrapped");
    assert_eq!((elapsed.limit(), elapsed.kind()), (LIMIT, TimeoutKind::Deadline));
    let failure = classify_error(&*error);
    assert_eq!(failure.cause(), Cause::HttpResponseTimeout);
    assert_eq!(failure.processed(), Processed::Maybe);
    assert_eq!(upstream.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn retry_reports_attempts_when_total_timeout_passes_during_later_attempt() {
    let upstream =
        FlakyService::new([Step::status(503), Step::status(502), Step::silent()]).unwrap();
    let started = Instant::now();
    let error = retry_within_limit().layer(upstream.clone()).oneshot(get()).await.unwrap_err();
    assert!(started.elapsed() < LIMIT + Duration::from_millis(2));
    let exhausted = error.downcast_ref::<RetriesExhausted>().unwrap();
    assert_eq!(
        (exhausted.attempts().get(), exhausted.stop_reason()),
        (3, StopReason::DeadlineTooNear)
    );
    assert_eq!(exhausted.last_response().unwrap().status(), 502);
    assert_eq!(elapsed(&error).kind(), TimeoutKind::Deadline);
    assert_eq!(classify_error(&*error).cause(), Cause::HttpResponseTimeout);
}

#[tokio::test(start_paused = true)]
async fn retry_returns_last_response_when_no_time_remains() {
    let busy = Step::status(503).retry_after(Duration::from_secs(3));
    let upstream = FlakyService::new(busy).unwrap();
    let response = retry_within_limit().layer(upstream.clone()).oneshot(get()).await.unwrap();
    let report = response.extensions().get::<RetryReport>().unwrap();
    assert_eq!(report.stop_reason(), Some(StopReason::DeadlineTooNear));
    assert_eq!(report.failure().unwrap().cause(), Cause::Overloaded);
    assert_eq!(upstream.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn retry_sends_nothing_when_deadline_passes_before_call() {
    let upstream = FlakyService::new(Step::ok("")).unwrap();
    // A call that is not sent must not need the budget.
    let budget = Budget::new(seawall::Ratio::percent(0), 0);
    let limited = ServiceBuilder::new().concurrency_limit(1).service(upstream.clone());
    let mut client = retry_within_limit().budget(budget).layer(limited);
    let other = client.clone();
    let mut late = get();
    late.extensions_mut().insert(Deadline::within(Duration::ZERO));
    let error = ServiceExt::<Request<Full<Bytes>>>::ready(&mut client)
        .await
        .unwrap()
        .call(late)
        .await
        .unwrap_err();
    assert_eq!(elapsed(&error).kind(), TimeoutKind::BeforeCall);
    assert_eq!(classify_error(&*error).processed(), Processed::No);
    assert_eq!(upstream.requests(), 0);
    // `client` still exists, but has released the permit that `ready` acquired.
    timeout(LIMIT, other.oneshot(get())).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn retry_ends_call_at_sooner_of_deadline_and_total_timeout() {
    let upstream = FlakyService::new(Step::silent()).unwrap();
    for (request_limit, limit) in [(LIMIT / 4, LIMIT / 4), (LIMIT * 4, LIMIT)] {
        let started = Instant::now();
        let mut request = get();
        request.extensions_mut().insert(Deadline::within(request_limit));
        let error =
            retry_within_limit().layer(upstream.clone()).oneshot(request).await.unwrap_err();
        assert_eq!(elapsed(&error).limit(), limit);
        assert!(started.elapsed() < limit + Duration::from_millis(2));
    }
}

#[tokio::test(start_paused = true)]
async fn retry_ignores_request_deadline_without_total_timeout() {
    let upstream = FlakyService::new(Step::ok("late").delay(LIMIT)).unwrap();
    let mut request = get();
    request.extensions_mut().insert(Deadline::within(LIMIT / 2));
    let layer = RetryLayer::new().backoff(Backoff::none()).budget(Budget::none());
    assert_eq!(layer.layer(upstream).oneshot(request).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn total_timeout_comes_from_layer_when_request_overrides() {
    let upstream = FlakyService::new(Step::silent()).unwrap();
    let mut request = get();
    let override_layer = RetryLayer::new().total_timeout(LIMIT * 10);
    request.extensions_mut().insert(RetryOverride::new(override_layer));
    let error = retry_within_limit().layer(upstream).oneshot(request).await.unwrap_err();
    assert_eq!(elapsed(&error).limit(), LIMIT);
}

#[tokio::test(start_paused = true)]
async fn retry_returns_response_ready_at_total_timeout() {
    let upstream = FlakyService::new(Step::ok("").delay(LIMIT)).unwrap();
    assert!(retry_within_limit().layer(upstream).oneshot(get()).await.is_ok());
}

#[test]
fn total_timeout_needs_no_runtime_when_response_is_ready() {
    let ready = tower::service_fn(async |_: Request<seawall::retry::ReplayBody<Full<Bytes>>>| {
        Ok::<_, BoxError>(http::Response::new(Full::<Bytes>::default()))
    });
    let response = retry_within_limit().layer(ready).oneshot(get()).now_or_never().unwrap();
    assert!(response.is_ok());
}

#[tokio::test(start_paused = true)]
async fn dropped_call_releases_permit_with_total_timeout() {
    let upstream = FlakyService::new(Step::silent()).unwrap();
    let limited = ServiceBuilder::new().concurrency_limit(1).service(upstream);
    let client = retry_within_limit().layer(limited);
    assert!(timeout(LIMIT / 2, client.clone().oneshot(get())).await.is_err());
    let error = timeout(LIMIT * 2, client.oneshot(get())).await.unwrap().unwrap_err();
    assert_eq!(elapsed(&error).limit(), LIMIT);
}
