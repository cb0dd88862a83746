//! The deadline of a request: no attempt starts without enough time to end.

use std::time::Duration;

use http::{Request, Response};
use seawall::{
    Cause, Deadline,
    classify::classify_error,
    find_source,
    retry::{Backoff, RetriesExhausted, RetryLayer, StopReason},
    test_util::Step,
};
use tokio::time::Instant;
use tokio_test::{assert_pending, assert_ready_err, task};
use tower::{Layer, ServiceExt};
use tower_test::mock;

use super::{Body, immediate, immediate_with_budget, ms, stop_reason, within};
use crate::support::{get, respond_with, response, upstream};

#[tokio::test(start_paused = true)]
async fn retry_stops_when_attempt_cannot_end_before_deadline() {
    for (left, needed, stop, sent) in [
        (5_000, 0, None, 2),
        (999, 0, Some(StopReason::DeadlineTooNear), 1),
        (1_000, 0, None, 2),
        (1_499, 500, Some(StopReason::DeadlineTooNear), 1),
        (0, 0, Some(StopReason::DeadlineTooNear), 1),
    ] {
        let script = respond_with(&[502, 200]);
        let mut request = get();
        request.extensions_mut().insert(Deadline::within(Duration::from_millis(left)));
        let layer = RetryLayer::new()
            .backoff(Backoff::constant(Duration::from_secs(1)))
            .min_attempt_time(Duration::from_millis(needed));
        let response = layer.layer(script.clone()).oneshot(request).await.unwrap();
        assert_eq!((stop_reason(&response), script.requests()), (stop, sent), "{left} {needed}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_without_delay_stops_after_deadline() {
    let script = respond_with(&[502]);
    let mut request = get();
    request.extensions_mut().insert(Deadline::within(Duration::ZERO));
    let response = immediate_with_budget().layer(script).oneshot(request).await.unwrap();
    assert_eq!(stop_reason(&response), Some(StopReason::DeadlineTooNear));
}

#[tokio::test(start_paused = true)]
async fn retry_after_beyond_deadline_returns_response_at_once() {
    let script = upstream(Step::status(503).header("retry-after", "3"));
    let mut request = get();
    request.extensions_mut().insert(Deadline::within(Duration::from_secs(2)));
    let started = Instant::now();
    let response = RetryLayer::new().layer(script).oneshot(request).await.unwrap();
    assert_eq!(
        (stop_reason(&response), started.elapsed()),
        (Some(StopReason::DeadlineTooNear), Duration::ZERO)
    );
}

#[tokio::test(start_paused = true)]
async fn readiness_wait_ends_at_deadline() {
    let (mut service, mut handle) = mock::spawn_layer::<Request<Body>, Response<Body>, _>(
        immediate_with_budget().map_body(|_| Body::default()),
    );
    handle.allow(1);
    tokio_test::assert_ready_ok!(service.poll_ready());
    let mut request = get();
    request.extensions_mut().insert(Deadline::within(Duration::from_secs(2)));
    let mut call = task::spawn(service.call(request));
    handle.next_request().await.unwrap().1.send_response(response(502));
    assert_pending!(call.poll());
    tokio::time::advance(Duration::from_millis(1_990)).await;
    assert_pending!(call.poll());
    tokio::time::advance(Duration::from_millis(20)).await;
    assert!(call.is_woken());
    let error = assert_ready_err!(call.poll());
    let exhausted = find_source::<RetriesExhausted>(&*error).unwrap();
    assert_eq!(
        (exhausted.stop_reason(), exhausted.attempts().get()),
        (StopReason::DeadlineTooNear, 1)
    );
    assert_eq!(exhausted.last_response().unwrap().status(), 502);
    assert_eq!(classify_error(&*error).cause(), Cause::BadGateway);
}

#[test]
fn deadline_accepts_zero_and_maximum_duration() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        assert!(Deadline::within(Duration::MAX).remaining() > Duration::from_secs(900_000_000));
        assert_eq!(Deadline::within(Duration::ZERO).remaining(), Duration::ZERO);
    });
}

#[tokio::test(start_paused = true)]
async fn late_readiness_starts_no_attempt() {
    let layer = immediate().min_attempt_time(ms(1_000)).map_body(|_| Body::default());
    let (mut service, mut handle) = mock::spawn_layer::<Request<Body>, Response<Body>, _>(layer);
    handle.allow(1);
    tokio_test::assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call(within(ms(2_000))));
    handle.next_request().await.unwrap().1.send_response(response(502));
    assert_pending!(call.poll());
    // The remaining 500 ms are less than an attempt needs.
    tokio::time::advance(ms(1_500)).await;
    handle.allow(1);
    assert!(call.poll().is_ready());
    assert_pending!(task::spawn(handle.next_request()).poll());
}
