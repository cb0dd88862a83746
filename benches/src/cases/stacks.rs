//! The whole stack, and what comes nearest to it of the peers.
//!
//! Each of theirs has, from the outside in, what ours has by default: a log, a limit for the body, one for the whole call, a
//! retry with a budget, a breaker, a limit for an attempt. What decides which responses have failed is given to those that
//! know none by themselves. Settings, and why:
//!
//! - tower-http's `TraceLayer` as it comes, so that it writes nothing here, as our log does of a success.
//! - tower-http's `TimeoutLayer` for the whole call and `ResponseBodyTimeoutLayer` for a pause in the body: it stands outside,
//!   since the first makes an empty body, which that of the other cannot be.
//! - tower's `Retry` by the example in its docs: a policy that deposits successes into a `TpsBudget::default()`. Its wait is
//!   none, which no success comes to.
//! - tower-resilience's breaker by its builder's defaults, which are those of its preset `standard()` but for the number of
//!   probes. Inside the retry, as its README recommends. It stands for all upstreams; ours has a circuit for each.
//! - tower-resilience throughout: `TimeLimiterLayer` outside and inside, its retry with its token bucket, its breaker. It has
//!   neither a log nor a limit for bodies, so these are tower-http's.
//! - failsafe and recloser by their defaults, in the place of that breaker.
//!
//! "Bodies not timed": without the limit for bodies, as other harnesses of the peers have their stacks.

use std::{convert::Infallible, fmt::Debug, time::Duration};

use http::Response;
use http_body::Body;
use recloser::AsyncRecloser;
use seawall::{InFlightLimitLayer, StandardLayer, standard::Timeouts};
use tower::{
    BoxError, Layer, Service, ServiceBuilder, limit::ConcurrencyLimitLayer,
    retry::RetryLayer as TowerRetry, timeout::Timeout, util::MapErr,
};
use tower_http::timeout::ResponseBodyTimeoutLayer;
use tower_resilience_retry::RetryBudgetBuilder;
use tower_resilience_timelimiter::TimeLimiterLayer;

use super::{
    row::{Row, row},
    services::{
        Answered, LIMIT, PLENTY, PLENTY_FOR_TOWER, Sent, http_timeout, resilience_breaker,
        resilience_retry, trace,
    },
};
use crate::{
    breakers::{Failsafe, Recloser},
    retry_502::Retry502,
};

/// As ours by default.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(10);
const BODY: Duration = Duration::from_secs(60);

/// The layers of our stack by default, one by one. A macro, since our retry gives the service inside a body of its own type.
macro_rules! composed {
    ($inner:expr) => {{
        use seawall::{circuit_breaker::by_authority, retry::Budget};
        tower::ServiceBuilder::new()
            .layer(seawall::LoggingLayer::client())
            .layer(seawall::DeadlineLayer::new($crate::rows::LIMIT).tell_inner(false))
            .layer(seawall::RetryLayer::new().budget_by(Budget::default(), by_authority))
            .layer(seawall::CircuitBreakerLayer::new().keyed(by_authority))
            .layer(seawall::TimeoutLayer::new($crate::rows::stacks::ATTEMPT))
            .layer(seawall::BodyTimeoutLayer::new())
            .layer(seawall::BadGatewayClassifierLayer::new())
            .service($inner)
    }};
}
pub(crate) use composed;

pub(super) fn all() -> Vec<Row> {
    vec![
        row!("seawall Standard", |inner| StandardLayer::new("billing").layer(inner))
            .all_kinds()
            .at_info(),
        row!("seawall stack composed by ServiceBuilder", |inner| composed!(inner))
            .all_kinds()
            .at_info(),
        row!("stack: tower, tower-http, no breaker", |inner| timed(of_tower(inner)))
            .all_kinds()
            .at_info(),
        row!("stack: tower, tower-http, tower-resilience's breaker", |inner| {
            timed(with_breaker(inner))
        })
        .all_kinds()
        .at_info(),
        row!("stack: tower, tower-http, failsafe", |inner| timed(with_failsafe(inner))).all_kinds(),
        row!("stack: tower, tower-http, recloser", |inner| timed(with_recloser(inner))).all_kinds(),
        row!("stack: tower-resilience, log and body by tower-http", |inner| {
            timed(of_resilience(inner))
        })
        .all_kinds()
        .at_info(),
        row!("seawall Standard, bodies not timed", |inner| {
            let timeouts = Timeouts::default().body_idle(None);
            StandardLayer::new("billing").timeouts(timeouts).layer(inner)
        }),
        row!("stack: tower, tower-http, no breaker, bodies not timed", |inner| of_tower(inner)),
        row!("stack: tower, tower-http, tower-resilience's breaker, bodies not timed", |inner| {
            with_breaker(inner)
        }),
        row!("stack: tower-resilience, log by tower-http, no budget, bodies not timed", |inner| {
            of_resilience_without_budget(inner)
        }),
        row!("seawall Standard, InFlightLimit", |inner| {
            StandardLayer::new("billing").in_flight(InFlightLimitLayer::new(PLENTY)).layer(inner)
        }),
        row!("stack: tower, tower-http, tower-resilience's breaker, ConcurrencyLimit", |inner| {
            timed(limited(inner))
        }),
    ]
}

/// What the peers' layers want of the service inside, tower-resilience's above all.
pub(crate) trait Inner:
    Service<Sent, Response = Answered, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> Inner for S where
    S: Service<Sent, Response = Answered, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

/// Limits the pauses in the bodies of a stack.
pub(crate) fn timed<S, B>(
    stack: S,
) -> impl Service<Sent, Response = Response<impl Body>, Error: Debug, Future: Send> + Clone + Send
where
    S: Service<Sent, Response = Response<B>, Error: Debug, Future: Send> + Clone + Send,
    B: Body<Error: Into<BoxError>>,
{
    ResponseBodyTimeoutLayer::new(BODY).layer(stack)
}

/// The peers' stack around this attempt.
macro_rules! of_tower {
    ($attempt:expr) => {
        ServiceBuilder::new()
            .layer(trace())
            .layer(http_timeout())
            .layer(TowerRetry::new(Retry502::with_budget()))
            .service($attempt)
    };
}

/// What a stack is.
macro_rules! stack {
    ($name:ident, |$inner:ident| $stack:expr) => {
        pub(crate) fn $name<S: Inner>(
            $inner: S,
        ) -> impl Service<
            Sent,
            Response = Response<impl Body<Error: Into<BoxError>>>,
            Error: Debug,
            Future: Send,
        > + Clone
        + Send {
            $stack
        }
    };
}

stack!(of_tower, |inner| of_tower!(Timeout::new(inner, ATTEMPT)));
stack!(with_breaker, |inner| {
    of_tower!(resilience_breaker().layer(Timeout::new(inner, ATTEMPT)))
});
stack!(with_failsafe, |inner| {
    let breaker = failsafe::Config::new().build();
    of_tower!(Failsafe { inner: Timeout::new(inner, ATTEMPT), breaker })
});
stack!(with_recloser, |inner| {
    let breaker = AsyncRecloser::from(recloser::Recloser::default());
    let attempt = Recloser { inner: Timeout::new(inner, ATTEMPT), breaker };
    // Its error cannot be displayed, which a log asks for.
    of_tower!(MapErr::new(attempt, |_| BoxError::from("failed, or rejected")))
});
stack!(limited, |inner| {
    let limit = ConcurrencyLimitLayer::new(PLENTY_FOR_TOWER);
    of_tower!(resilience_breaker().layer(limit.layer(Timeout::new(inner, ATTEMPT))))
});

/// tower-resilience throughout, with its retry.
macro_rules! of_resilience {
    ($retry:expr, $inner:expr) => {
        ServiceBuilder::new()
            .layer(trace())
            .layer(TimeLimiterLayer::builder().timeout_duration(LIMIT).build())
            .layer($retry.build())
            .layer(resilience_breaker())
            .layer(TimeLimiterLayer::builder().timeout_duration(ATTEMPT).build())
            .service($inner)
    };
}

stack!(of_resilience, |inner| {
    let budget = RetryBudgetBuilder::new().token_bucket().build().expect("its defaults");
    of_resilience!(resilience_retry().budget(budget), inner)
});
stack!(of_resilience_without_budget, |inner| of_resilience!(resilience_retry(), inner));
