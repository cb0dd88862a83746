//! The delay before a retry: backoff, jitter, and the delay that the server requests.

use std::time::Duration;

use http::Response;
use seawall::{
    Ratio,
    classify::GrpcClassifier,
    retry::{Backoff, Budget, RetryLayer, StopReason},
    test_util::Step,
};
use tokio::time::Instant;
use tower::{Layer, ServiceExt};

use super::{Body, call, get_with_body, immediate, ms, post, report, within};
use crate::support::{Action, Script, respond_with, response, upstream};

#[tokio::test(start_paused = true)]
async fn default_backoff_doubles_with_full_jitter() {
    let mut longest = Duration::ZERO;
    for _ in 0..200 {
        let started = Instant::now();
        call(&RetryLayer::new(), &respond_with(&[502, 502, 502, 200]), get_with_body())
            .await
            .unwrap();
        longest = longest.max(started.elapsed());
    }
    // The first retry has no delay. The maximum is 200 + 400 ms, each rounded up to the timer's
    // millisecond. The probability that all 200 calls stay below 400 ms is less than 1 in 10^20.
    assert!(longest <= Duration::from_millis(602), "{longest:?}");
    assert!(longest > Duration::from_millis(400), "{longest:?}");
}

/// Returns the delays of one retry each, of calls that share a budget.
async fn first_delays(layer: &RetryLayer, status: u16, calls: usize) -> Vec<Duration> {
    let mut delays = Vec::new();
    for _ in 0..calls {
        let started = Instant::now();
        let script = respond_with(&[status, 200]);
        call(layer, &script, get_with_body()).await.unwrap();
        assert_eq!(script.requests(), 2);
        delays.push(started.elapsed());
    }
    delays
}

/// Creates a layer whose budget allows ten retries. A delay is never zero unless it is skipped.
fn ten_retries() -> RetryLayer {
    let backoff = Backoff::exponential(ms(50)).use_jitter(false);
    RetryLayer::new().backoff(backoff).budget(Budget::new(Ratio::percent(0), 10))
}

#[tokio::test(start_paused = true)]
async fn first_retry_is_immediate_until_half_of_budget_is_used() {
    let delays = first_delays(&ten_retries(), 502, 10).await;
    assert!(delays[..6].iter().all(Duration::is_zero), "{delays:?}");
    assert!(delays[6..].iter().all(|delay| *delay >= ms(50)), "{delays:?}");
}

#[tokio::test(start_paused = true)]
async fn second_retry_waits_when_first_was_immediate() {
    let started = Instant::now();
    call(&ten_retries(), &respond_with(&[502, 502, 200]), get_with_body()).await.unwrap();
    assert!(started.elapsed() >= ms(100));
}

#[tokio::test(start_paused = true)]
async fn first_retry_waits_when_upstream_is_overloaded() {
    for status in [429, 503] {
        let delays = first_delays(&ten_retries(), status, 1).await;
        assert!(delays[0] >= ms(50), "{status}: {delays:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn first_retry_waits_when_it_may_not_be_immediate() {
    let backoff = Backoff::exponential(ms(50)).use_jitter(false);
    for layer in [
        ten_retries().backoff(backoff.clone().immediate_first_retry(false)),
        ten_retries().budget(Budget::none()),
        ten_retries().backoff(Backoff::constant(ms(50))),
    ] {
        assert!(first_delays(&layer, 502, 1).await[0] >= ms(50));
    }
    let layer = ten_retries().backoff(Backoff::constant(ms(50)).immediate_first_retry(true));
    assert!(first_delays(&layer, 502, 1).await[0].is_zero());
}

#[tokio::test(start_paused = true)]
async fn each_call_draws_its_own_jitter() {
    let mut delays = Vec::new();
    for _ in 0..20 {
        let started = Instant::now();
        let backoff = Backoff::exponential(Duration::from_secs(5)).immediate_first_retry(false);
        call(&RetryLayer::new().backoff(backoff), &respond_with(&[502, 200]), get_with_body())
            .await
            .unwrap();
        delays.push(started.elapsed());
    }
    delays.dedup();
    assert!(delays.len() > 10, "{delays:?}");
}

#[tokio::test(start_paused = true)]
async fn retry_after_replaces_backoff_with_upward_jitter() {
    for _ in 0..50 {
        let script = upstream([Step::status(503).header("retry-after", "10"), Step::status(200)]);
        let started = Instant::now();
        call(&RetryLayer::new(), &script, get_with_body()).await.unwrap();
        let waited = started.elapsed();
        assert!(waited >= Duration::from_secs(10), "{waited:?}");
        assert!(waited <= Duration::from_millis(11_002), "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn excessive_retry_after_returns_response_at_once() {
    for value in ["21", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let script = upstream([Step::status(503).header("retry-after", value)]);
        let started = Instant::now();
        let response = call(&RetryLayer::new(), &script, get_with_body()).await.unwrap();
        assert_eq!(report(&response), (1, Some(StopReason::WaitTooLong)), "{value}");
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn retry_limits_total_delay_of_call() {
    // With up to 10 % jitter each, two delays fit into 30 s, but three do not.
    let script = upstream(Step::status(503).header("retry-after", "13"));
    let response = call(&RetryLayer::new(), &script, get_with_body()).await.unwrap();
    assert_eq!(report(&response), (3, Some(StopReason::WaitTooLong)));
}

#[tokio::test(start_paused = true)]
async fn invalid_retry_after_falls_back_to_backoff() {
    for value in ["-1", "", "Wed, 99 Foo", "0"] {
        let script = upstream([Step::status(503).header("retry-after", value), Step::status(200)]);
        let started = Instant::now();
        call(&RetryLayer::new(), &script, get_with_body()).await.unwrap();
        assert!(started.elapsed() <= Duration::from_millis(102), "{value:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_ignores_retry_after_when_disabled() {
    let script = upstream([Step::status(503).header("retry-after", "9"), Step::status(200)]);
    let started = Instant::now();
    call(&immediate().respect_retry_after(false), &script, get_with_body()).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn jitter_does_not_reject_delay_within_deadline() {
    for _ in 0..100 {
        let mut busy = response::<Body>(503);
        busy.headers_mut().insert("retry-after", "10".parse().unwrap());
        let script = Script::new([Action::Respond(busy), Action::Respond(response(200))]);
        let response = RetryLayer::new().layer(script).oneshot(within(ms(10_500))).await.unwrap();
        assert_eq!(response.status(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn zero_grpc_pushback_retries_at_once() {
    let unavailable =
        Response::builder().header("grpc-status", "14").header("grpc-retry-pushback-ms", "0");
    let script = Script::new([
        Action::Respond(unavailable.body(Body::default()).unwrap()),
        Action::Respond(response(200)),
    ]);
    let layer = RetryLayer::new().classifier(GrpcClassifier::new()).retry_all_methods();
    let started = Instant::now();
    layer.backoff(Backoff::constant(ms(1_000))).layer(script).oneshot(post()).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
}
