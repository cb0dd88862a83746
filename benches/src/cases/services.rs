use std::{convert::Infallible, num::NonZeroU32, sync::Arc, time::Duration};

use bytes::Bytes;
use failsafe::{
    StateMachine,
    backoff::{EqualJittered, equal_jittered},
    failure_policy::{ConsecutiveFailures, consecutive_failures},
};
use http::{Request, Response, StatusCode};
use http_body_util::{Either, Empty, Full};
use recloser::AsyncRecloser;
use seawall::{
    BadGatewayClassifierLayer, CircuitBreakerLayer, ErrorResponseLayer, InFlightLimitLayer,
    LoggingLayer, RetryLayer, StandardLayer, TimeoutLayer,
    circuit_breaker::by_authority,
    config::{Config, ConfiguredLayer},
    in_flight::Adaptive,
    retry::Budget,
};
use tokio::sync::Semaphore;
use tower::{
    Layer, ServiceBuilder, limit::ConcurrencyLimit, load_shed::LoadShed,
    retry::RetryLayer as TowerRetry, timeout::Timeout,
};
use tower_http::{
    classify::{ServerErrorsAsFailures, SharedClassifier},
    timeout::TimeoutLayer as HttpTimeout,
    trace::{DefaultMakeSpan, DefaultOnRequest, DefaultOnResponse, TraceLayer},
};
use tower_resilience_circuitbreaker::{CircuitBreakerLayer as CircuitBreakerLayer14, FnClassifier};
use tower_resilience_retry::{
    RetryBudgetBuilder, RetryConfigBuilder, RetryLayer as ResilienceRetry,
};
use tracing::Level;

use super::row::{Row, row};
use crate::{
    breakers::{Failsafe, Locked, Recloser},
    floor::{KeepRequest, LazySleep},
    floor_log::KeepForLog,
    retry_502::Retry502,
};

/// It has to be told.
pub(crate) type Sent = Request<Full<Bytes>>;
pub(super) type Answered = Response<Full<Bytes>>;

/// Longer than any call here takes.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(super) fn all() -> Vec<Row> {
    vec![
        row!("bare", |inner| inner).all_kinds().at_info(),
        // What differs between this and the one before is noise.
        row!("bare, again", |inner| inner),
        row!("floor: lazy Sleep", |inner| LazySleep { inner, limit: LIMIT }),
        row!("seawall Timeout", |inner| TimeoutLayer::new(LIMIT).layer(inner)),
        row!("tower Timeout", |inner| Timeout::new(inner, LIMIT)),
        row!("tower-http Timeout", |inner| http_timeout().layer(inner)),
        row!("floor: keep a copy of the request", |inner| KeepRequest { inner }).all_kinds(),
        row!("seawall Retry", |inner| RetryLayer::new().layer(inner)).all_kinds(),
        // As the peer without one, which knows no more of a call than how often it was tried.
        row!("seawall Retry, no budget", |inner| RetryLayer::new()
            .budget(Budget::none())
            .layer(inner)),
        row!("seawall Retry, keyed", |inner| {
            RetryLayer::new().budget_by(Budget::default(), by_authority).layer(inner)
        }),
        row!("tower Retry, no budget", |inner| tower_retry().layer(inner)).all_kinds(),
        row!("tower Retry, TpsBudget", |inner| {
            TowerRetry::new(Retry502::with_budget()).layer(inner)
        })
        .all_kinds(),
        row!("tower-resilience Retry", |inner| resilience_retry().build().layer(inner)).all_kinds(),
        row!("tower-resilience Retry, token bucket", |inner| {
            let budget = RetryBudgetBuilder::new().token_bucket().build();
            resilience_retry().budget(budget.expect("its defaults")).build().layer(inner)
        })
        .all_kinds(),
        row!("floor: mutex breaker", |inner| Locked { inner, ring: Arc::default() }),
        row!("seawall CircuitBreaker", |inner| CircuitBreakerLayer::new().layer(inner)),
        row!("seawall CircuitBreaker, failures in a row", |inner| {
            CircuitBreakerLayer::new().failure_ratio(None).consecutive_failures(FIVE).layer(inner)
        }),
        row!("seawall CircuitBreaker, keyed", |inner| {
            CircuitBreakerLayer::new().keyed(by_authority).layer(inner)
        }),
        row!("seawall Retry and CircuitBreaker, keyed", |inner| {
            ServiceBuilder::new()
                .layer(RetryLayer::new().budget_by(Budget::default(), by_authority))
                .layer(CircuitBreakerLayer::new().keyed(by_authority))
                .service(inner)
        }),
        row!("seawall BadGatewayClassifier", |inner| BadGatewayClassifierLayer::new().layer(inner)),
        // What it costs that a response's body may be another, and nothing else.
        row!("floor: a body that may be another", |inner| {
            ServiceBuilder::new()
                .map_response(|answer: Answered| answer.map(Either::<_, Empty<Bytes>>::Left))
                .service(inner)
        }),
        row!("tower MapResult", |inner| {
            ServiceBuilder::new()
                .map_result(|outcome: Result<Answered, Infallible>| outcome)
                .service(inner)
        }),
        row!("tower-resilience CircuitBreaker", |inner| resilience_breaker().layer(inner)),
        row!("failsafe", |inner| Failsafe { inner, breaker: failsafe::Config::new().build() }),
        row!("failsafe, failures in a row", |inner| {
            Failsafe { inner, breaker: failsafe_in_a_row() }
        }),
        row!("recloser", |inner| {
            Recloser { inner, breaker: AsyncRecloser::from(recloser::Recloser::default()) }
        }),
    ]
}

/// What tells of a call, and the stacks of a few layers around it.
pub(super) fn told() -> Vec<Row> {
    vec![
        row!("floor: keep what a log needs", |inner| KeepForLog { inner }).at_info(),
        row!("seawall Logging, client", |inner| LoggingLayer::client().layer(inner)).at_info(),
        row!("seawall Logging, server", |inner| LoggingLayer::server().layer(inner)).at_info(),
        row!("seawall Logging, server, only failures", |inner| {
            LoggingLayer::server().only_failures().layer(inner)
        })
        .at_info(),
        row!("tower-http Trace", |inner| trace().layer(inner)).at_info(),
        row!("tower-http Trace, at INFO", |inner| trace_at_info().layer(inner)).at_info(),
        row!("seawall ErrorResponse", |inner| ErrorResponseLayer::new("x").layer(inner))
            .all_kinds(),
        row!("seawall client stack: Logging, Retry, Timeout", |inner| {
            ServiceBuilder::new()
                .layer(LoggingLayer::client())
                .layer(RetryLayer::new())
                .layer(TimeoutLayer::new(LIMIT))
                .service(inner)
        })
        .all_kinds()
        .at_info(),
        row!("tower client stack: Trace, Retry, Timeout", |inner| {
            ServiceBuilder::new()
                .layer(trace())
                .layer(tower_retry())
                .layer_fn(|inner| Timeout::new(inner, LIMIT))
                .service(inner)
        })
        .all_kinds()
        .at_info(),
        row!("seawall server stack: Logging, ErrorResponse", |inner| {
            ServiceBuilder::new()
                .layer(LoggingLayer::server())
                .layer(ErrorResponseLayer::new("x"))
                .service(inner)
        })
        .at_info(),
        row!("seawall gateway: both stacks", |inner| {
            ServiceBuilder::new()
                .layer(LoggingLayer::server())
                .layer(ErrorResponseLayer::new("x"))
                .layer(LoggingLayer::client())
                .layer(RetryLayer::new())
                .layer(TimeoutLayer::new(LIMIT))
                .service(inner)
        })
        .all_kinds()
        .at_info(),
    ]
}

/// What bounds how many calls are under way.
pub(super) fn limits() -> Vec<Row> {
    vec![
        row!("seawall InFlightLimit", |inner| InFlightLimitLayer::new(PLENTY).layer(inner)),
        row!("seawall InFlightLimit, until the response", |inner| {
            InFlightLimitLayer::new(PLENTY).until_response().layer(inner)
        }),
        row!("seawall InFlightLimit, keyed", |inner| {
            InFlightLimitLayer::new(PLENTY).keyed(by_authority).layer(inner)
        }),
        row!("seawall InFlightLimit, adaptive", |inner| {
            InFlightLimitLayer::adaptive(Adaptive::new()).layer(inner)
        }),
        // Its place is free with the response.
        row!("tower ConcurrencyLimit", |inner| ConcurrencyLimit::new(inner, PLENTY_FOR_TOWER)),
        row!("tower LoadShed and ConcurrencyLimit", |inner| {
            LoadShed::new(ConcurrencyLimit::new(inner, PLENTY_FOR_TOWER))
        }),
    ]
}

/// Other forms of the whole stack, which [`super::stacks`] has beside those of the peers.
pub(super) fn standard() -> Vec<Row> {
    vec![
        row!("seawall Standard, by a policy of 100 routes", |inner| {
            ConfiguredLayer::new(StandardLayer::new("billing"), routes()).layer(inner)
        })
        .all_kinds()
        .at_info(),
        row!("seawall Standard, no log", |inner| {
            StandardLayer::new("billing").logging(None).layer(inner)
        }),
        row!("seawall Standard, gateway", |inner| StandardLayer::gateway("edge").layer(inner))
            .all_kinds()
            .at_info(),
    ]
}

pub(super) fn http_timeout() -> HttpTimeout {
    HttpTimeout::with_status_code(StatusCode::GATEWAY_TIMEOUT, LIMIT)
}

const fn tower_retry() -> TowerRetry<Retry502> {
    TowerRetry::new(Retry502::new())
}

/// As many failures in a row as open failsafe's breaker by default.
const FIVE: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

/// One that opens by nothing else.
fn failsafe_in_a_row() -> StateMachine<ConsecutiveFailures<EqualJittered>, ()> {
    let backoff = equal_jittered(Duration::from_secs(10), Duration::from_secs(300));
    let policy = consecutive_failures(FIVE.get(), backoff);
    failsafe::Config::new().failure_policy(policy).build()
}

/// More calls at once than there are here.
pub(crate) const PLENTY: NonZeroU32 = NonZeroU32::MAX;
pub(super) const PLENTY_FOR_TOWER: usize = Semaphore::MAX_PERMITS;

type Outcome<E> = Result<Answered, E>;

pub(crate) fn resilience_breaker<E>()
-> CircuitBreakerLayer14<FnClassifier<impl Fn(&Outcome<E>) -> bool + Clone + Send + Sync + 'static>>
{
    CircuitBreakerLayer14::builder()
        .failure_classifier(|outcome: &Outcome<E>| {
            outcome.as_ref().map_or(true, |response| response.status().is_server_error())
        })
        .build()
        .expect("its defaults")
}

pub(super) fn resilience_retry<E: 'static>() -> RetryConfigBuilder<Sent, Answered, E> {
    ResilienceRetry::<Sent, Answered, E>::builder()
        .max_attempts(4)
        .fixed_backoff(Duration::ZERO)
        .retry_on_response(|response| response.status() == StatusCode::BAD_GATEWAY)
}

/// As it comes: everything at DEBUG.
pub(super) fn trace() -> TraceLayer<SharedClassifier<ServerErrorsAsFailures>> {
    TraceLayer::new_for_http()
}

/// With what a server's log usually holds: a span, and a line for the response.
fn trace_at_info() -> TraceLayer<SharedClassifier<ServerErrorsAsFailures>> {
    TraceLayer::new_for_http()
        .make_span_with(DefaultMakeSpan::new().level(Level::INFO))
        .on_request(DefaultOnRequest::new().level(Level::TRACE))
        .on_response(DefaultOnResponse::new().level(Level::INFO))
}

/// A hundred routes, none of which a request takes.
fn routes() -> Config {
    let route = |number| format!("[[route]]\nprefix = \"http://h{number}/v1\"\nretry.total = 1\n");
    let text: String = (0..100).map(route).collect();
    Config::from_toml(&text).expect("routes")
}
