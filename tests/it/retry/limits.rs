//! Retry limits per kind of failure, and settings that a request or a status overrides.

use std::{error::Error, time::Duration};

use http::{Request, Response, StatusCode};
use seawall::{
    Cause, Failure,
    classify::{Classify, HttpClassifier, classify_error, classify_fn},
    find_source,
    retry::{Backoff, Budget, RetriesExhausted, RetryLayer, RetryOverride, StopReason},
    test_util::{FlakyBody, Step},
};
use tokio::time::Instant;
use tokio_test::{assert_pending, task};
use tower::{Layer, ServiceExt};

use super::{Body, immediate_with_budget, stop_reason};
use crate::support::{get, respond_with, upstream};

#[tokio::test(start_paused = true)]
async fn each_failure_kind_has_own_retry_limit() {
    for (layer, repeated, stop) in [
        (
            immediate_with_budget().max_connect_retries(1),
            Step::refuse(),
            StopReason::MaxConnectRetries,
        ),
        (immediate_with_budget().max_read_retries(1), Step::reset(), StopReason::MaxReadRetries),
        (
            immediate_with_budget().max_status_retries(1),
            Step::status(502),
            StopReason::MaxStatusRetries,
        ),
    ] {
        let script = upstream([Step::refuse(), Step::reset(), Step::status(502), repeated]);
        match layer.without_max_retries().layer(script).oneshot(get()).await {
            Ok(response) => assert_eq!(stop_reason(&response), Some(stop)),
            Err(error) => {
                assert_eq!(find_source::<RetriesExhausted>(&*error).unwrap().stop_reason(), stop);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn extreme_limits_do_not_panic() {
    let layer = RetryLayer::new()
        .backoff(Backoff::constant(Duration::MAX))
        .max_total_delay(Duration::MAX)
        .max_retry_after(Duration::MAX)
        .min_attempt_time(Duration::MAX)
        .max_replay_bytes(usize::MAX)
        .max_retries(u32::MAX);
    let mut call = task::spawn(layer.layer(respond_with(&[502])).oneshot(get()));
    assert_pending!(call.poll());
    let classifier =
        classify_fn(|outcome: Result<&Response<FlakyBody>, &(dyn Error + 'static)>| {
            let failure = HttpClassifier::new().classify(outcome)?;
            Some(failure.with_retry_after(Some(Duration::MAX)))
        });
    let mut call =
        task::spawn(layer.classifier(classifier).layer(respond_with(&[503])).oneshot(get()));
    assert_pending!(call.poll());
}

#[tokio::test(start_paused = true)]
async fn error_on_exhausted_status_requires_reached_limit() {
    let layer = immediate_with_budget().error_on_exhausted_status(true).max_retries(1);
    let error = layer.layer(respond_with(&[502, 503])).oneshot(get()).await.unwrap_err();
    let exhausted = find_source::<RetriesExhausted>(&*error).unwrap();
    assert_eq!((exhausted.attempts().get(), exhausted.stop_reason()), (2, StopReason::MaxRetries));
    assert_eq!(exhausted.last_response().unwrap().status(), 503);
    assert_eq!(classify_error(&*error).status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    assert!(layer.layer(respond_with(&[404])).oneshot(get()).await.is_ok());
    let post = Request::post("/").body(Body::default()).unwrap();
    assert!(layer.layer(respond_with(&[502])).oneshot(post).await.is_ok());
}

#[cfg(feature = "error-response")]
#[tokio::test(start_paused = true)]
async fn rejection_after_response_gets_status_and_wait_of_response() {
    let rejected = Step::error(|| Failure::new(Cause::CircuitOpen));
    for (fails, status, wait) in [(rejected, 503, Some("7")), (Step::reset(), 502, None)] {
        let script = upstream([Step::status(503).header("retry-after", "7"), fails]);
        let service = tower::ServiceBuilder::new()
            .layer(seawall::error_response::ErrorResponseLayer::new("edge"))
            .layer(RetryLayer::new().max_retries(1))
            .service(script);
        let response = service.oneshot(get()).await.unwrap();
        assert_eq!(response.status(), status);
        let retry_after =
            response.headers().get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!(retry_after, wait);
    }
}

#[tokio::test(start_paused = true)]
async fn retry_repeats_local_rejection_when_enabled() {
    for (cause, stop) in [
        (Cause::CircuitOpen, StopReason::CircuitOpen),
        (Cause::ConnectionLimitReached, StopReason::LimitReached),
    ] {
        let script = || {
            let rejected = Step::error(move || Failure::new(cause));
            upstream([Step::status(502), rejected, Step::status(200)])
        };
        let error = immediate_with_budget().layer(script()).oneshot(get()).await.unwrap_err();
        let exhausted = find_source::<RetriesExhausted>(&*error).unwrap();
        assert_eq!((exhausted.stop_reason(), exhausted.attempts().get()), (stop, 2));
        let retried =
            immediate_with_budget().retry_rejections(true).layer(script()).oneshot(get()).await;
        assert_eq!(retried.unwrap().status(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn request_override_replaces_layer_policy() {
    let script = respond_with(&[418, 418, 502]);
    let service = immediate_with_budget().layer(script.clone());
    let mut request = get();
    let teapot = immediate_with_budget().retry_statuses([418]).max_retries(1);
    request.extensions_mut().insert(RetryOverride::new(teapot));
    assert_eq!(
        stop_reason(&service.clone().oneshot(request).await.unwrap()),
        Some(StopReason::MaxRetries)
    );
    let mut request = get();
    request.extensions_mut().insert(RetryOverride::new(RetryLayer::new().max_retries(0)));
    service.oneshot(request).await.unwrap();
    assert_eq!(script.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn status_below_400_is_failure_when_in_retry_statuses() {
    let layer = immediate_with_budget().retry_statuses([202, 502]).max_retries(1);
    let wait = |status| Step::status(status).header("retry-after", "3");
    let started = Instant::now();
    let script = upstream([wait(202), wait(200)]);
    assert_eq!(layer.layer(script).oneshot(get()).await.unwrap().status(), 200);
    assert!(started.elapsed() >= Duration::from_secs(3));
    let last = layer.layer(respond_with(&[502, 202])).oneshot(get()).await.unwrap();
    assert_eq!((last.status().as_u16(), stop_reason(&last)), (202, Some(StopReason::MaxRetries)));
    let script = respond_with(&[202]);
    immediate_with_budget().layer(script.clone()).oneshot(get()).await.unwrap();
    assert_eq!(script.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn setters_express_settings_of_llm_clients() {
    // The SDKs of OpenAI and Anthropic make 2 retries after 0.5 to 8 s. They retry any method on
    // 408, 409, 429 and 5xx, and obey the hints of the server.
    let layer = RetryLayer::new()
        .max_retries(2)
        .retry_all_methods()
        .retry_statuses([408, 409, 429].into_iter().chain(500..600))
        .backoff(Backoff::exponential(Duration::from_millis(500)).max(Duration::from_secs(8)))
        .budget(Budget::none());
    let post = || Request::post("/").body(Body::from("{}")).unwrap();
    for status in [408, 409, 429, 500, 529] {
        let script = respond_with(&[status, status, 200]);
        assert_eq!(layer.layer(script.clone()).oneshot(post()).await.unwrap().status(), 200);
        let script = upstream(Step::status(status).header("x-should-retry", "false"));
        let response = layer.layer(script).oneshot(post()).await.unwrap();
        assert_eq!(stop_reason(&response), Some(StopReason::ServerForbids));
    }
    let busy = Step::status(429).header("retry-after-ms", "1500");
    let script = upstream([busy, Step::status(200)]);
    let started = Instant::now();
    layer.layer(script).oneshot(post()).await.unwrap();
    let waited = started.elapsed();
    assert!((1_500..=1_652).contains(&waited.as_millis()), "{waited:?}");
}
