//! tower-resilience 0.14 with its presets.
//!
//! `RetryLayer::exponential_backoff()` has 3 attempts, a backoff from 100 ms, no jitter and no
//! budget. `CircuitBreakerLayer::standard()` opens at 50 % failures in 100 calls, stays open for 30
//! s and sends 3 probes. `TimeLimiterLayer` limits each attempt and the call.
//!
//! Retry wraps the breaker, as the README recommends, and does not retry its rejections. Both have
//! a classifier of responses, because without one no response is a failure.
//!
//! The limit is the `Gradient2` of the README's example. Above the limit, callers would wait in
//! `poll_ready`, where no timeout applies. tower's `LoadShed` rejects them instead, and its
//! rejections do not count as failures.

use http::{Request, Response};
use seawall::BoxError;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, load_shed::error::Overloaded};
use tower_resilience_adaptive::{AdaptiveError, AdaptiveLimiterLayer, Gradient2};
use tower_resilience_circuitbreaker::{CircuitBreakerError, CircuitBreakerLayer};
use tower_resilience_retry::RetryLayer;
use tower_resilience_timelimiter::{TimeLimiterError, TimeLimiterLayer};

use super::{ATTEMPT_TIMEOUT, Body, CALL_TIMEOUT, Client, boxed, is_retryable};
use crate::upstream::Upstream;

type HttpResponse = Response<Body>;

pub(super) fn retry_and_breaker(upstream: Upstream) -> Client {
    let attempt = TimeLimiterLayer::builder().timeout_duration(ATTEMPT_TIMEOUT).build();
    let attempt = attempt.layer(upstream);
    with_retry_and_breaker(ServiceExt::<Request<Body>>::map_err(attempt, BoxError::from))
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
        .load_shed()
        .map_err(|error: AdaptiveError<_>| BoxError::from(error.to_string()))
        .layer(AdaptiveLimiterLayer::new(gradient))
        .layer(TimeLimiterLayer::builder().timeout_duration(ATTEMPT_TIMEOUT).build())
        .service(upstream);
    with_retry_and_breaker(limited)
}

type BreakerError = CircuitBreakerError<BoxError>;

fn with_retry_and_breaker<S>(attempt: S) -> Client
where
    S: Service<Request<Body>, Response = HttpResponse, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
{
    let breaker = CircuitBreakerLayer::standard()
        .failure_classifier(|outcome: &Result<HttpResponse, BoxError>| match outcome {
            Ok(response) => response.status().is_server_error(),
            Err(error) => !error.is::<Overloaded>(),
        })
        .build()
        .expect("a preset");
    let retry = RetryLayer::<Request<Body>, HttpResponse, BreakerError>::exponential_backoff()
        .retry_on(|error: &BreakerError| match error {
            BreakerError::OpenCircuit => false,
            BreakerError::Inner(error) => !error.is::<Overloaded>(),
        })
        .retry_on_response(|response: &HttpResponse| is_retryable(response.status()))
        .build();
    let inner = retry
        .layer(breaker.layer(attempt))
        .map_err(|error: BreakerError| BoxError::from(error.to_string()));
    let call = TimeLimiterLayer::builder().timeout_duration(CALL_TIMEOUT).build().layer(inner);
    boxed(call.map_err(|error: TimeLimiterError<BoxError>| BoxError::from(error.to_string())))
}
