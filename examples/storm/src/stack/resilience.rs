//! tower-resilience 0.14, by its presets: `RetryLayer::exponential_backoff()` (3 attempts, from 100 ms, no jitter, no
//! budget), `CircuitBreakerLayer::standard()` (half of 100 calls, open for 30 s, 3 probes), `TimeLimiterLayer` around an
//! attempt and around the whole.
//!
//! Retry stands around the breaker, as its README recommends, and does not retry what the breaker rejects. Both are told
//! which responses are failures, since without it none is. The limit is the `Gradient2` of the README's example, with a
//! `max_limit` of 200.

use http::{Request, Response};
use seawall::BoxError;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tower_resilience_adaptive::{AdaptiveError, AdaptiveLimiterLayer, Gradient2};
use tower_resilience_circuitbreaker::{CircuitBreakerError, CircuitBreakerLayer};
use tower_resilience_retry::RetryLayer;
use tower_resilience_timelimiter::TimeLimiterLayer;

use super::{ATTEMPT, Body, Client, TOTAL, boxed, is_retried};
use crate::upstream::Upstream;

type Answer = Response<Body>;

pub(super) fn retry_and_breaker(upstream: Upstream) -> Client {
    let attempt = TimeLimiterLayer::builder().timeout_duration(ATTEMPT).build();
    around(attempt.layer(upstream).map_err(BoxError::from))
}

pub(super) fn with_limit(upstream: Upstream) -> Client {
    let gradient = Gradient2::builder()
        .initial_limit(20)
        .min_limit(1)
        .max_limit(200)
        .rtt_tolerance(1.5)
        .build()
        .expect("the README's example");
    let limited = ServiceBuilder::new()
        .map_err(|error: AdaptiveError<_>| BoxError::from(error.to_string()))
        .layer(AdaptiveLimiterLayer::new(gradient))
        .layer(TimeLimiterLayer::builder().timeout_duration(ATTEMPT).build())
        .service(upstream);
    around(limited)
}

fn around<S>(attempt: S) -> Client
where
    S: Service<Request<Body>, Response = Answer, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
{
    let breaker = CircuitBreakerLayer::standard()
        .failure_classifier(|outcome: &Result<Answer, BoxError>| {
            outcome.as_ref().map_or(true, |response| response.status().is_server_error())
        })
        .build()
        .expect("a preset");
    let retry = RetryLayer::<Request<Body>, Answer, CircuitBreakerError<BoxError>>::exponential_backoff()
        .retry_on(|error: &CircuitBreakerError<BoxError>| !error.is_circuit_open())
        .retry_on_response(|response: &Answer| is_retried(response.status()))
        .build();
    let inner = retry
        .layer(breaker.layer(attempt))
        .map_err(|error: CircuitBreakerError<BoxError>| BoxError::from(error.to_string()));
    boxed(TimeLimiterLayer::builder().timeout_duration(TOTAL).build().layer(inner).map_err(
        |error: tower_resilience_timelimiter::TimeLimiterError<BoxError>| {
            BoxError::from(error.to_string())
        },
    ))
}
