//! tower-resilience 0.14, by its presets: `RetryLayer::exponential_backoff()` (3 attempts, from 100 ms, no jitter, no
//! budget), `CircuitBreakerLayer::standard()` (half of 100 calls, open for 30 s, 3 probes), `TimeLimiterLayer` around an
//! attempt and around the whole.
//!
//! Retry stands around the breaker, as its README recommends, and does not retry what the breaker rejects. Both are told
//! which responses are failures, since without it none is.
//!
//! The limit is the `Gradient2` of the README's example. It makes callers wait to be ready, where no timeout sees them, so
//! that they would wait without end; tower's `LoadShed` around it refuses them, and what it refuses is no failure.

use http::{Request, Response};
use seawall::BoxError;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, load_shed::error::Overloaded};
use tower_resilience_adaptive::{AdaptiveError, AdaptiveLimiterLayer, Gradient2};
use tower_resilience_circuitbreaker::{CircuitBreakerError, CircuitBreakerLayer};
use tower_resilience_retry::RetryLayer;
use tower_resilience_timelimiter::{TimeLimiterError, TimeLimiterLayer};

use super::{ATTEMPT, Body, Client, TOTAL, boxed, is_retried};
use crate::upstream::Upstream;

type Answer = Response<Body>;

pub(super) fn retry_and_breaker(upstream: Upstream) -> Client {
    let attempt = TimeLimiterLayer::builder().timeout_duration(ATTEMPT).build();
    let attempt = attempt.layer(upstream);
    around(ServiceExt::<Request<Body>>::map_err(attempt, BoxError::from))
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
        .layer(TimeLimiterLayer::builder().timeout_duration(ATTEMPT).build())
        .service(upstream);
    around(limited)
}

type Rejected = CircuitBreakerError<BoxError>;

fn around<S>(attempt: S) -> Client
where
    S: Service<Request<Body>, Response = Answer, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
{
    let breaker = CircuitBreakerLayer::standard()
        .failure_classifier(|outcome: &Result<Answer, BoxError>| match outcome {
            Ok(response) => response.status().is_server_error(),
            Err(error) => !error.is::<Overloaded>(),
        })
        .build()
        .expect("a preset");
    let retry = RetryLayer::<Request<Body>, Answer, Rejected>::exponential_backoff()
        .retry_on(|error: &Rejected| match error {
            Rejected::OpenCircuit => false,
            Rejected::Inner(error) => !error.is::<Overloaded>(),
        })
        .retry_on_response(|response: &Answer| is_retried(response.status()))
        .build();
    let inner = retry
        .layer(breaker.layer(attempt))
        .map_err(|error: Rejected| BoxError::from(error.to_string()));
    let whole = TimeLimiterLayer::builder().timeout_duration(TOTAL).build().layer(inner);
    boxed(whole.map_err(|error: TimeLimiterError<BoxError>| BoxError::from(error.to_string())))
}
