//! seawall's rows for the independent harness.
//!
//! `compare.py` copies this file among the peers of the harness.
use crate::*;
use http::{Request, Response};
use seawall::{
    bad_gateway::BadGatewayClassifierLayer,
    body_timeout::BodyTimeoutLayer,
    circuit_breaker::CircuitBreakerLayer,
    in_flight::InFlightLimitLayer,
    keys::by_authority,
    logging::LoggingLayer,
    retry::{Budget, ReplayBody, RetryLayer},
    standard::{StandardLayer, Timeouts},
    timeout::TimeoutLayer,
};
use std::{num::NonZeroU32, time::Duration};
use tower::{Layer, limit::ConcurrencyLimitLayer};

/// The bounds of the measured services, which accept any body type after the changes of
/// `compare.py`.
pub trait Accepts<B>:
    Service<Request<B>, Response = Res, Error = Infallible, Future: Send + 'static>
    + Clone
    + Send
    + Sync
    + 'static
{
}
impl<B, S> Accepts<B> for S where
    S: Service<Request<B>, Response = Res, Error = Infallible, Future: Send + 'static>
        + Clone
        + Send
        + Sync
        + 'static
{
}

macro_rules! wrap {
    ($name:ident, $body:ty, $layer:expr) => {
        pub fn $name<S: Accepts<$body>>(
            inner: S,
        ) -> impl Service<Req, Response = Response<impl http_body::Body + 'static>, Error: Debug>
        + Clone
        + Send
        + Sync {
            $layer.layer(inner)
        }
    };
}

/// The number of failures that opens failsafe's breaker in the harness.
const FIVE: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

const HUNDRED: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);

type Sent = ReplayBody<Body>;

wrap!(timeout, Body, TimeoutLayer::new(Duration::from_secs(30)));
wrap!(body_timeout, Body, BodyTimeoutLayer::new());
wrap!(retry, Sent, RetryLayer::new());
wrap!(retry_without_budget, Sent, RetryLayer::new().budget(Budget::none()));
wrap!(breaker, Body, CircuitBreakerLayer::new());
wrap!(
    consecutive,
    Body,
    CircuitBreakerLayer::new().without_failure_ratio().consecutive_failures(FIVE)
);
wrap!(keyed, Body, CircuitBreakerLayer::new().per_key(by_authority));
wrap!(classifier, Body, BadGatewayClassifierLayer::new());
wrap!(limit, Body, InFlightLimitLayer::new(HUNDRED));
wrap!(limit_until_response, Body, InFlightLimitLayer::new(HUNDRED).until_response());
// The peer of the previous layer, which the harness lacks.
wrap!(tower_limit, Body, ConcurrencyLimitLayer::new(100));
wrap!(logging, Body, LoggingLayer::client());
wrap!(stack, Sent, StandardLayer::new("items"));
wrap!(
    stack_without_body,
    Sent,
    StandardLayer::new("items").timeouts(Timeouts::default().without_body_idle())
);

pub fn register(v: &mut Vec<Cand>) {
    cand!(v, "timeout", "seawall Timeout", timeout);
    cand!(v, "timeout", "seawall BodyTimeout", body_timeout);
    cand!(v, "retry", "seawall Retry", retry, ALL_KINDS, NONE);
    cand!(v, "retry", "seawall Retry, no budget", retry_without_budget);
    cand!(v, "breaker", "seawall CircuitBreaker", breaker);
    cand!(v, "breaker", "seawall CircuitBreaker, consecutive failures", consecutive);
    cand!(v, "breaker", "seawall CircuitBreaker, per key", keyed);
    cand!(v, "classify", "seawall BadGatewayClassifier", classifier);
    cand!(v, "breaker", "seawall InFlightLimit", limit);
    cand!(v, "breaker", "seawall InFlightLimit, to the response", limit_until_response);
    cand!(v, "breaker", "tower 0.5 ConcurrencyLimit", tower_limit);
    cand!(v, "trace", "seawall Logging, client", logging, GET, TRACED);
    cand!(v, "stack", "stack seawall", stack, ALL_KINDS, TRACED);
    cand!(v, "stack", "stack seawall, no body timeout", stack_without_body, ALL_KINDS, NONE);
}

/// Returns a client with 3 attempts and no backoff, like all clients of the harness.
pub fn client() -> clients::SendFn {
    let mut connector = hyper_util::client::legacy::connect::HttpConnector::new();
    connector.set_nodelay(true);
    let executor = hyper_util::rt::TokioExecutor::new();
    let client = hyper_util::client::legacy::Client::builder(executor).build(connector);
    let retries = RetryLayer::new().max_retries(2).backoff(seawall::retry::Backoff::none());
    clients::from_service(StandardLayer::new("items").retry(retries).layer(client))
}
