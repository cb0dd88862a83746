//! The complete stack of seawall, and the closest equivalent of each peer.
//!
//! From the outside in, each peer's stack has the defaults of seawall's stack: a log, a body
//! timeout, a call timeout, a retry with a budget, a breaker and an attempt timeout. Peers without
//! a default response classifier get one. Settings:
//!
//! - tower-http's `TraceLayer` with its defaults. It emits nothing here, as seawall's log emits
//!   nothing for a success.
//! - tower-http's `TimeoutLayer` for the call and `ResponseBodyTimeoutLayer` for a pause in the
//!   body. The body timeout is outside, because `TimeoutLayer` creates an empty body, which the
//!   body type of `ResponseBodyTimeoutLayer` does not support.
//! - tower's `Retry` as in the example of its docs: a policy that deposits successes into a
//!   `TpsBudget::default()`. It has no backoff, which no success reaches.
//! - tower-resilience's breaker with the defaults of its builder. These equal its preset
//!   `standard()`
//!   except for the number of probes. The breaker is inside the retry, as its README recommends. It
//!   has one circuit, whereas seawall has one per upstream.
//! - A stack of tower-resilience alone: `TimeLimiterLayer` outside and inside, its retry with its
//!   token
//!   bucket, and its breaker. Its log and its body timeout are tower-http's, because tower-resilience
//!   has none.
//! - failsafe and recloser with their defaults, in place of tower-resilience's breaker.
//!
//! The rows with "no body timeout" correspond to stacks in other benchmarks of the peers.

use std::{convert::Infallible, fmt::Debug, time::Duration};

use http::Response;
use http_body::Body;
use recloser::AsyncRecloser;
use seawall::{
    in_flight::InFlightLimitLayer,
    standard::{StandardLayer, Timeouts},
};
use tower::{
    BoxError, Layer, Service, ServiceBuilder, limit::ConcurrencyLimitLayer,
    retry::RetryLayer as TowerRetry, timeout::Timeout, util::MapErr,
};
use tower_http::timeout::ResponseBodyTimeoutLayer;
use tower_resilience_retry::RetryBudgetBuilder;
use tower_resilience_timelimiter::TimeLimiterLayer;

use super::{
    group::{CaseGroup, cases},
    services::{
        HttpRequest, HttpResponse, TIMEOUT, UNLIMITED, UNLIMITED_TOWER, http_timeout,
        resilience_breaker, resilience_retry, trace,
    },
};
use crate::{
    peer_breakers::{Failsafe, Recloser},
    tower_policy::RetryOn502,
};

/// The default of seawall's stack.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// Composes the default layers of seawall's stack.
///
/// A macro avoids naming the body type, which seawall's retry changes for the inner service.
macro_rules! composed {
    ($inner:expr) => {{
        use seawall::{keys::by_authority, retry::Budget};
        tower::ServiceBuilder::new()
            .layer(seawall::logging::LoggingLayer::client())
            .layer(seawall::deadline::DeadlineLayer::new($crate::cases::TIMEOUT).propagate(false))
            .layer(
                seawall::retry::RetryLayer::new().budget_per_key(Budget::default(), by_authority),
            )
            .layer(seawall::circuit_breaker::CircuitBreakerLayer::new().per_key(by_authority))
            .layer(seawall::timeout::TimeoutLayer::new($crate::cases::stacks::ATTEMPT_TIMEOUT))
            .layer(seawall::body_timeout::BodyTimeoutLayer::new())
            .layer(seawall::bad_gateway::BadGatewayClassifierLayer::new())
            .service($inner)
    }};
}
pub(crate) use composed;

pub(super) fn all() -> Vec<CaseGroup> {
    vec![
        cases!("seawall Standard", |inner| StandardLayer::new("billing").layer(inner))
            .all_requests()
            .all_subscribers(),
        cases!("seawall stack composed by ServiceBuilder", |inner| composed!(inner))
            .all_requests()
            .all_subscribers(),
        cases!("stack: tower, tower-http, no breaker", |inner| with_body_timeout(tower_stack(
            inner
        )))
        .all_requests()
        .all_subscribers(),
        cases!("stack: tower, tower-http, tower-resilience's breaker", |inner| {
            with_body_timeout(with_breaker(inner))
        })
        .all_requests()
        .all_subscribers(),
        cases!("stack: tower, tower-http, failsafe", |inner| with_body_timeout(with_failsafe(
            inner
        )))
        .all_requests(),
        cases!("stack: tower, tower-http, recloser", |inner| with_body_timeout(with_recloser(
            inner
        )))
        .all_requests(),
        cases!("stack: tower-resilience, log and body by tower-http", |inner| {
            with_body_timeout(resilience_stack(inner))
        })
        .all_requests()
        .all_subscribers(),
        cases!("seawall Standard, no body timeout", |inner| {
            let timeouts = Timeouts::default().without_body_idle();
            StandardLayer::new("billing").timeouts(timeouts).layer(inner)
        }),
        cases!("stack: tower, tower-http, no breaker, no body timeout", |inner| tower_stack(inner)),
        cases!("stack: tower, tower-http, tower-resilience's breaker, no body timeout", |inner| {
            with_breaker(inner)
        }),
        cases!("stack: tower-resilience, log by tower-http, no budget, no body timeout", |inner| {
            resilience_stack_without_budget(inner)
        }),
        cases!("seawall Standard, InFlightLimit", |inner| {
            StandardLayer::new("billing").in_flight(InFlightLimitLayer::new(UNLIMITED)).layer(inner)
        }),
        cases!("stack: tower, tower-http, tower-resilience's breaker, ConcurrencyLimit", |inner| {
            with_body_timeout(limited(inner))
        }),
    ]
}

/// The bounds of the peers' layers on the inner service.
pub(crate) trait Inner:
    Service<HttpRequest, Response = HttpResponse, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
{
}

impl<S> Inner for S where
    S: Service<HttpRequest, Response = HttpResponse, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

/// Adds a body timeout to a stack.
pub(crate) fn with_body_timeout<S, B>(
    stack: S,
) -> impl Service<HttpRequest, Response = Response<impl Body>, Error: Debug, Future: Send> + Clone + Send
where
    S: Service<HttpRequest, Response = Response<B>, Error: Debug, Future: Send> + Clone + Send,
    B: Body<Error: Into<BoxError>>,
{
    ResponseBodyTimeoutLayer::new(BODY_TIMEOUT).layer(stack)
}

/// Composes tower's stack around an attempt.
macro_rules! tower_stack {
    ($attempt:expr) => {
        ServiceBuilder::new()
            .layer(trace())
            .layer(http_timeout())
            .layer(TowerRetry::new(RetryOn502::with_budget()))
            .service($attempt)
    };
}

/// Defines a function that composes a stack.
macro_rules! stack {
    ($name:ident, |$inner:ident| $stack:expr) => {
        pub(crate) fn $name<S: Inner>(
            $inner: S,
        ) -> impl Service<
            HttpRequest,
            Response = Response<impl Body<Error: Into<BoxError>>>,
            Error: Debug,
            Future: Send,
        > + Clone
        + Send {
            $stack
        }
    };
}

stack!(tower_stack, |inner| tower_stack!(Timeout::new(inner, ATTEMPT_TIMEOUT)));
stack!(with_breaker, |inner| {
    tower_stack!(resilience_breaker().layer(Timeout::new(inner, ATTEMPT_TIMEOUT)))
});
stack!(with_failsafe, |inner| {
    let breaker = failsafe::Config::new().build();
    tower_stack!(Failsafe { inner: Timeout::new(inner, ATTEMPT_TIMEOUT), breaker })
});
stack!(with_recloser, |inner| {
    let breaker = AsyncRecloser::from(recloser::Recloser::default());
    let attempt = Recloser { inner: Timeout::new(inner, ATTEMPT_TIMEOUT), breaker };
    // The log requires `Display`, which recloser's error lacks.
    tower_stack!(MapErr::new(attempt, |_| BoxError::from("failed or rejected")))
});
stack!(limited, |inner| {
    let limit = ConcurrencyLimitLayer::new(UNLIMITED_TOWER);
    tower_stack!(resilience_breaker().layer(limit.layer(Timeout::new(inner, ATTEMPT_TIMEOUT))))
});

/// Composes tower-resilience's layers.
macro_rules! resilience_stack {
    ($retry:expr, $inner:expr) => {
        ServiceBuilder::new()
            .layer(trace())
            .layer(TimeLimiterLayer::builder().timeout_duration(TIMEOUT).build())
            .layer($retry.build())
            .layer(resilience_breaker())
            .layer(TimeLimiterLayer::builder().timeout_duration(ATTEMPT_TIMEOUT).build())
            .service($inner)
    };
}

stack!(resilience_stack, |inner| {
    let budget = RetryBudgetBuilder::new().token_bucket().build().expect("the defaults are valid");
    resilience_stack!(resilience_retry().budget(budget), inner)
});
stack!(resilience_stack_without_budget, |inner| resilience_stack!(resilience_retry(), inner));
