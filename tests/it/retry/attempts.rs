//! The number of attempts, the request of each attempt, and the returned outcome.

use std::{
    error::Error,
    io,
    num::NonZeroU32,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{HeaderName, Method, Request, Response};
use http_body_util::BodyExt;
use seawall::{
    BoxError, Cause, Failure,
    classify::{classify_error, classify_fn},
    find_source,
    retry::{
        AttemptNumber, Backoff, Budget, ReplayBody, RetriesExhausted, RetryLayer, RetryReport,
        StopReason,
    },
    test_util::{self, Step},
};
use tokio::time::Instant;
use tokio_test::{assert_pending, task};
use tower::{Layer, ServiceExt, service_fn};

use super::{
    Body, call, get_with_body, immediate, immediate_with_budget, report, request, unbudgeted,
};
use crate::support::{Action, Script, get, respond_with, response, upstream};

#[tokio::test(start_paused = true)]
async fn first_success_has_no_retry_report() {
    let response = call(&RetryLayer::new(), &respond_with(&[200]), get_with_body()).await.unwrap();
    assert!(response.extensions().is_empty());
}

#[tokio::test(start_paused = true)]
async fn first_success_has_no_retry_report_with_custom_statuses() {
    let script = Script::new([Action::Respond(response::<Body>(200))]);
    let response = immediate().retry_statuses([202]).layer(script).oneshot(get()).await.unwrap();
    assert!(response.extensions().is_empty());
}

#[tokio::test(start_paused = true)]
async fn retry_returns_last_response_when_exhausted() {
    let script = respond_with(&[500, 502, 503, 502, 504]);
    let response = call(&unbudgeted(), &script, get_with_body()).await.unwrap();
    assert_eq!(response.status(), 504);
    assert_eq!(report(&response), (5, Some(StopReason::MaxRetries)));
    let report = response.extensions().get::<RetryReport>().unwrap();
    let causes: Vec<_> =
        report.failed_attempts().iter().map(|attempt| attempt.failure().cause()).collect();
    let expected = [Cause::OriginError, Cause::BadGateway, Cause::Overloaded, Cause::BadGateway];
    assert_eq!(causes, expected);
    let total_delay: Duration =
        report.failed_attempts().iter().map(seawall::retry::FailedAttempt::delay).sum();
    assert!(report.elapsed() >= total_delay);
}

#[tokio::test(start_paused = true)]
async fn last_error_is_source_of_retries_exhausted() {
    let script = upstream(Step::reset());
    let error = call(&unbudgeted(), &script, get_with_body()).await.unwrap_err();
    let exhausted = find_source::<RetriesExhausted>(&*error).unwrap();
    assert_eq!((exhausted.attempts().get(), exhausted.stop_reason()), (5, StopReason::MaxRetries));
    assert!(find_source::<io::Error>(&*error).is_some());
    // The elapsed time has one decimal place, as in `1.0s` or `812.3ms`.
    let message = error.to_string();
    assert!(message.starts_with("gave up after 5 attempts in "), "{message}");
    assert!(
        message.ends_with("s (max retries): connection terminated") && message.len() < 76,
        "{message}"
    );
    assert_eq!(classify_error(&*error).cause(), Cause::ConnectionTerminated);
}

#[tokio::test(start_paused = true)]
async fn retry_returns_error_of_only_attempt_unwrapped() {
    let script = upstream([Step::reset()]);
    let error = call(&RetryLayer::new(), &script, request(&Method::POST)).await.unwrap_err();
    assert!(error.is::<io::Error>());
}

#[tokio::test(start_paused = true)]
async fn max_retries_accepts_zero_and_no_limit() {
    let script = respond_with(&[502]);
    let response = call(&immediate().max_retries(0), &script, get_with_body()).await.unwrap();
    assert_eq!(report(&response), (1, Some(StopReason::MaxRetries)));
    let script = respond_with(&[[502; 50].as_slice(), &[200]].concat());
    let response =
        call(&immediate().without_max_retries(), &script, get_with_body()).await.unwrap();
    assert_eq!(report(&response), (51, None));
}

#[tokio::test(start_paused = true)]
async fn retries_carry_attempt_number_from_two() {
    let script = respond_with(&[502, 502, 200]);
    call(&immediate(), &script, get_with_body()).await.unwrap();
    let received = script.received();
    let numbers =
        received.iter().map(|it| it.extensions().get::<AttemptNumber>().map(|it| it.0.get()));
    assert_eq!(numbers.collect::<Vec<_>>(), [None, Some(2), Some(3)]);
}

#[tokio::test(start_paused = true)]
async fn attempt_header_carries_number_when_enabled() {
    let script = respond_with(&[502, 502, 200]);
    let layer = immediate_with_budget().attempt_header(HeaderName::from_static("x-attempt"));
    layer.layer(script.clone()).oneshot(get()).await.unwrap();
    let received = script.received();
    let numbers: Vec<_> = received.iter().map(|it| it.header("x-attempt")).collect();
    assert_eq!(numbers, [None, Some("2"), Some("3")]);
}

#[tokio::test(start_paused = true)]
async fn on_retry_hook_runs_before_each_delay() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let layer = {
        let seen = Arc::clone(&seen);
        RetryLayer::new().backoff(Backoff::constant(Duration::from_secs(2))).on_retry(
            move |retry| {
                let cause = retry.failure().cause();
                seen.lock().unwrap().push((
                    retry.attempt().get(),
                    cause,
                    retry.delay(),
                    Instant::now(),
                ));
            },
        )
    };
    let started = Instant::now();
    layer.layer(respond_with(&[502, 503, 200])).oneshot(get()).await.unwrap();
    let wait = Duration::from_secs(2);
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0], (2, Cause::BadGateway, wait, started));
    assert_eq!((seen[1].0, seen[1].1), (3, Cause::Overloaded));
    assert_eq!(seen.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn report_keeps_eight_failures_of_10000_attempts() {
    let service =
        upstream(test_util::Script::new().times(9_999, Step::status(502)).then(Step::status(200)));
    let layer = immediate_with_budget().without_max_retries().budget(Budget::none());
    let response = layer.layer(service).oneshot(get()).await.unwrap();
    let report = response.extensions().get::<RetryReport>().unwrap();
    assert_eq!(report.attempts(), NonZeroU32::new(10_000).unwrap());
    assert_eq!(report.failed_attempts().len(), 8);
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_original_request_head() {
    let script = respond_with(&[502, 200]);
    let mut get = get_with_body();
    get.headers_mut().append("x-a", "1".parse().unwrap());
    get.headers_mut().append("x-a", "2".parse().unwrap());
    call(&immediate(), &script, get).await.unwrap();
    for attempt in script.received() {
        assert_eq!(
            (attempt.method(), attempt.uri()),
            (&Method::GET, &"http://upstream/".parse().unwrap())
        );
        assert!(attempt.headers().get_all("x-a").iter().eq(["1", "2"]));
        assert_eq!(attempt.headers().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn dropped_call_cancels_attempt_and_delay() {
    let script = upstream(Step::silent());
    let mut hanging = task::spawn(RetryLayer::new().layer(script.clone()).oneshot(get_with_body()));
    assert_pending!(hanging.poll());
    drop(hanging);
    let script = respond_with(&[503]);
    let mut waiting = task::spawn(RetryLayer::new().layer(script.clone()).oneshot(get_with_body()));
    assert_pending!(waiting.poll());
    drop(waiting);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(script.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn later_layer_settings_do_not_change_existing_service() {
    let layer = immediate().max_retries(1);
    let script = respond_with(&[502, 502]);
    let service = layer.layer(script.clone());
    let _other = layer.clone().max_retries(9);
    service.oneshot(get_with_body()).await.unwrap();
    assert_eq!(script.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn retry_returns_complete_body_of_final_response() {
    let script = upstream([Step::status(502), Step::ok("whole")]);
    let response = call(&immediate(), &script, get_with_body()).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "whole");
}

#[tokio::test]
async fn classifier_runs_once_per_attempt() {
    for (failures, has_retry_statuses) in [(0, false), (1, false), (2, false), (0, true)] {
        let classifications = Arc::new(AtomicUsize::new(0));
        let (counted, sent) = (Arc::clone(&classifications), Arc::new(AtomicUsize::new(0)));
        // A failure in a response with status 200, as in gRPC.
        let classifier = classify_fn(
            move |_: Result<&Response<Body>, &(dyn Error + 'static)>| -> Option<Failure> {
                let number = counted.fetch_add(1, Relaxed);
                (number < failures).then(|| Failure::new(Cause::Overloaded))
            },
        );
        let mut layer = immediate().classifier(classifier);
        if has_retry_statuses {
            layer = layer.retry_statuses([202]);
        }
        let counted = Arc::clone(&sent);
        let upstream = service_fn(move |_: Request<ReplayBody<Body>>| {
            counted.fetch_add(1, Relaxed);
            async {
                // A pending attempt takes another code path than a ready one.
                tokio::task::yield_now().await;
                Ok::<_, BoxError>(Response::new(Body::default()))
            }
        });
        layer.layer(upstream).oneshot(get_with_body()).await.unwrap();
        assert_eq!(sent.load(Relaxed), failures + 1);
        assert_eq!(
            classifications.load(Relaxed),
            failures + 1,
            "{failures} failures, retry statuses {has_retry_statuses}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn error_after_response_keeps_response_head() {
    let busy = Step::status(503).header("x-request-id", "17");
    let script = upstream([busy, Step::error(|| Failure::new(Cause::CircuitOpen))]);
    let error = immediate_with_budget().layer(script).oneshot(get()).await.unwrap_err();
    let exhausted = find_source::<RetriesExhausted>(&*error).unwrap();
    assert_eq!(exhausted.stop_reason(), StopReason::CircuitOpen);
    assert_eq!(exhausted.last_response().unwrap().headers()["x-request-id"], "17");
    assert_eq!(
        error.to_string(),
        format!("gave up after 2 attempts in {:.1?} (circuit open): circuit open", Duration::ZERO)
    );
}
