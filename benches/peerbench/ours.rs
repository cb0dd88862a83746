//! seawall's column in the other harness: `compare.py` puts it among the peers of a copy of that.
use crate::*;
use http::{Request, Response};
use seawall::{bad_gateway::BadGatewayClassifierLayer, body_timeout::BodyTimeoutLayer, circuit_breaker::{by_authority, CircuitBreakerLayer}, in_flight::InFlightLimitLayer, logging::LoggingLayer, retry::{Budget, ReplayBody, RetryLayer}, standard::{StandardLayer, Timeouts}, timeout::TimeoutLayer};
use std::{num::NonZeroU32, time::Duration};
use tower::{Layer, limit::ConcurrencyLimitLayer};

/// The services measured here take a request of any body once `compare.py` has changed them.
pub trait Takes<B>:
    Service<Request<B>, Response = Res, Error = Infallible, Future: Send + 'static>
    + Clone
    + Send
    + Sync
    + 'static
{
}
impl<B, S> Takes<B> for S where
    S: Service<Request<B>, Response = Res, Error = Infallible, Future: Send + 'static>
        + Clone
        + Send
        + Sync
        + 'static
{
}

macro_rules! wrap {
    ($name:ident, $body:ty, $layer:expr) => {
        pub fn $name<S: Takes<$body>>(
            inner: S,
        ) -> impl Service<Req, Response = Response<impl http_body::Body + 'static>, Error: Debug>
        + Clone
        + Send
        + Sync {
            $layer.layer(inner)
        }
    };
}

/// As many as failsafe is given there.
const FIVE: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

const HUNDRED: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);

type Sent = ReplayBody<Body>;

wrap!(timeout, Body, TimeoutLayer::new(Duration::from_secs(30)));
wrap!(body_timeout, Body, BodyTimeoutLayer::new());
wrap!(retry, Sent, RetryLayer::new());
wrap!(retry_without_budget, Sent, RetryLayer::new().budget(Budget::none()));
wrap!(breaker, Body, CircuitBreakerLayer::new());
wrap!(consecutive, Body, CircuitBreakerLayer::new().failure_ratio(None).consecutive_failures(FIVE));
wrap!(keyed, Body, CircuitBreakerLayer::new().per_key(by_authority));
wrap!(classifier, Body, BadGatewayClassifierLayer::new());
wrap!(limit, Body, InFlightLimitLayer::new(HUNDRED));
wrap!(limit_until_response, Body, InFlightLimitLayer::new(HUNDRED).until_response());
// No layer of ours: the peer of the one before, which that harness does not have.
wrap!(tower_limit, Body, ConcurrencyLimitLayer::new(100));
wrap!(logging, Body, LoggingLayer::client());
wrap!(stack, Sent, StandardLayer::new("items"));
wrap!(
    stack_without_body,
    Sent,
    StandardLayer::new("items").timeouts(Timeouts::default().body_idle(None))
);

pub fn register(v: &mut Vec<Cand>) {
    cand!(v, "timeout", "ours Timeout", timeout);
    cand!(v, "timeout", "ours BodyTimeout", body_timeout);
    cand!(v, "retry", "ours Retry", retry, ALL_KINDS, NONE);
    cand!(v, "retry", "ours Retry, no budget", retry_without_budget);
    cand!(v, "breaker", "ours CircuitBreaker", breaker);
    cand!(v, "breaker", "ours CircuitBreaker, consecutive failures", consecutive);
    cand!(v, "breaker", "ours CircuitBreaker, keyed", keyed);
    cand!(v, "classify", "ours BadGatewayClassifier", classifier);
    cand!(v, "breaker", "ours InFlightLimit", limit);
    cand!(v, "breaker", "ours InFlightLimit, to the response", limit_until_response);
    cand!(v, "breaker", "tower 0.5 ConcurrencyLimit", tower_limit);
    cand!(v, "trace", "ours Logging, client", logging, GET, TRACED);
    cand!(v, "stack", "stack ours", stack, ALL_KINDS, TRACED);
    cand!(v, "stack", "stack ours, no body timeout", stack_without_body, ALL_KINDS, NONE);
}

/// 3 attempts and no delay, as all clients there.
pub fn client() -> clients::SendFn {
    let mut connector = hyper_util::client::legacy::connect::HttpConnector::new();
    connector.set_nodelay(true);
    let executor = hyper_util::rt::TokioExecutor::new();
    let client = hyper_util::client::legacy::Client::builder(executor).build(connector);
    let retries = RetryLayer::new().max_retries(2).backoff(seawall::retry::Backoff::none());
    clients::from_service(StandardLayer::new("items").retry(retries).layer(client))
}
