//! Single layers and small stacks.

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
    bad_gateway::BadGatewayClassifierLayer,
    circuit_breaker::CircuitBreakerLayer,
    config::{Config, ConfiguredLayer},
    error_response::ErrorResponseLayer,
    in_flight::{AdaptiveLimit, InFlightLimitLayer},
    keys::by_authority,
    logging::LoggingLayer,
    retry::{Budget, RetryLayer},
    standard::StandardLayer,
    timeout::TimeoutLayer,
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

use super::group::{CaseGroup, cases};
use crate::{
    minimal::{MinimalRetry, MinimalTimeout},
    minimal_log::MinimalLog,
    peer_breakers::{Failsafe, MinimalBreaker, Recloser},
    tower_policy::RetryOn502,
};

pub(crate) type HttpRequest = Request<Full<Bytes>>;
pub(super) type HttpResponse = Response<Full<Bytes>>;

/// A timeout that no measured call reaches.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn all() -> Vec<CaseGroup> {
    vec![
        cases!("bare", |inner| inner).all_requests().all_subscribers(),
        // The difference to the previous case is noise.
        cases!("bare, again", |inner| inner),
        cases!("minimal: lazy Sleep", |inner| MinimalTimeout { inner, timeout: TIMEOUT }),
        cases!("seawall Timeout", |inner| TimeoutLayer::new(TIMEOUT).layer(inner)),
        cases!("tower Timeout", |inner| Timeout::new(inner, TIMEOUT)),
        cases!("tower-http Timeout", |inner| http_timeout().layer(inner)),
        cases!("minimal: keep a copy of the request", |inner| MinimalRetry { inner })
            .all_requests(),
        cases!("seawall Retry", |inner| RetryLayer::new().layer(inner)).all_requests(),
        // The equivalent of the peer without a budget, which only counts attempts.
        cases!("seawall Retry, no budget", |inner| RetryLayer::new()
            .budget(Budget::none())
            .layer(inner)),
        cases!("seawall Retry, budget per key", |inner| {
            RetryLayer::new().budget_per_key(Budget::default(), by_authority).layer(inner)
        }),
        cases!("tower Retry, no budget", |inner| tower_retry().layer(inner)).all_requests(),
        cases!("tower Retry, TpsBudget", |inner| {
            TowerRetry::new(RetryOn502::with_budget()).layer(inner)
        })
        .all_requests(),
        cases!("tower-resilience Retry", |inner| resilience_retry().build().layer(inner))
            .all_requests(),
        cases!("tower-resilience Retry, token bucket", |inner| {
            let budget = RetryBudgetBuilder::new().token_bucket().build();
            resilience_retry().budget(budget.expect("the defaults are valid")).build().layer(inner)
        })
        .all_requests(),
        cases!("minimal: mutex breaker", |inner| MinimalBreaker { inner, window: Arc::default() }),
        cases!("seawall CircuitBreaker", |inner| CircuitBreakerLayer::new().layer(inner)),
        cases!("seawall CircuitBreaker, consecutive failures", |inner| {
            CircuitBreakerLayer::new()
                .without_failure_ratio()
                .consecutive_failures(FIVE)
                .layer(inner)
        }),
        cases!("seawall CircuitBreaker, per key", |inner| {
            CircuitBreakerLayer::new().per_key(by_authority).layer(inner)
        }),
        cases!("seawall Retry and CircuitBreaker, per key", |inner| {
            ServiceBuilder::new()
                .layer(RetryLayer::new().budget_per_key(Budget::default(), by_authority))
                .layer(CircuitBreakerLayer::new().per_key(by_authority))
                .service(inner)
        }),
        cases!("seawall BadGatewayClassifier", |inner| BadGatewayClassifierLayer::new()
            .layer(inner)),
        // The cost of a second body type.
        cases!("minimal: body of either type", |inner| {
            ServiceBuilder::new()
                .map_response(|response: HttpResponse| {
                    response.map(Either::<_, Empty<Bytes>>::Left)
                })
                .service(inner)
        }),
        cases!("tower MapResult", |inner| {
            ServiceBuilder::new()
                .map_result(|outcome: Result<HttpResponse, Infallible>| outcome)
                .service(inner)
        }),
        cases!("tower-resilience CircuitBreaker", |inner| resilience_breaker().layer(inner)),
        cases!("failsafe", |inner| Failsafe { inner, breaker: failsafe::Config::new().build() }),
        cases!("failsafe, consecutive failures", |inner| {
            Failsafe { inner, breaker: failsafe_consecutive() }
        }),
        cases!("recloser", |inner| {
            Recloser { inner, breaker: AsyncRecloser::from(recloser::Recloser::default()) }
        }),
    ]
}

/// Returns cases of logging, of error responses, and of small stacks.
pub(super) fn observability() -> Vec<CaseGroup> {
    vec![
        cases!("minimal: keep the log fields", |inner| MinimalLog { inner }).all_subscribers(),
        cases!("seawall Logging, client", |inner| LoggingLayer::client().layer(inner))
            .all_subscribers(),
        cases!("seawall Logging, server", |inner| LoggingLayer::server().layer(inner))
            .all_subscribers(),
        cases!("seawall Logging, server, only failures", |inner| {
            LoggingLayer::server().only_failures().layer(inner)
        })
        .all_subscribers(),
        cases!("tower-http Trace", |inner| trace().layer(inner)).all_subscribers(),
        cases!("tower-http Trace, at INFO", |inner| trace_at_info().layer(inner)).all_subscribers(),
        cases!("seawall ErrorResponse", |inner| ErrorResponseLayer::new("x").layer(inner))
            .all_requests(),
        cases!("seawall client stack: Logging, Retry, Timeout", |inner| {
            ServiceBuilder::new()
                .layer(LoggingLayer::client())
                .layer(RetryLayer::new())
                .layer(TimeoutLayer::new(TIMEOUT))
                .service(inner)
        })
        .all_requests()
        .all_subscribers(),
        cases!("tower client stack: Trace, Retry, Timeout", |inner| {
            ServiceBuilder::new()
                .layer(trace())
                .layer(tower_retry())
                .layer_fn(|inner| Timeout::new(inner, TIMEOUT))
                .service(inner)
        })
        .all_requests()
        .all_subscribers(),
        cases!("seawall server stack: Logging, ErrorResponse", |inner| {
            ServiceBuilder::new()
                .layer(LoggingLayer::server())
                .layer(ErrorResponseLayer::new("x"))
                .service(inner)
        })
        .all_subscribers(),
        cases!("seawall gateway: both stacks", |inner| {
            ServiceBuilder::new()
                .layer(LoggingLayer::server())
                .layer(ErrorResponseLayer::new("x"))
                .layer(LoggingLayer::client())
                .layer(RetryLayer::new())
                .layer(TimeoutLayer::new(TIMEOUT))
                .service(inner)
        })
        .all_requests()
        .all_subscribers(),
    ]
}

/// Returns cases of in-flight limits.
pub(super) fn limits() -> Vec<CaseGroup> {
    vec![
        cases!("seawall InFlightLimit", |inner| InFlightLimitLayer::new(UNLIMITED).layer(inner)),
        cases!("seawall InFlightLimit, until the response", |inner| {
            InFlightLimitLayer::new(UNLIMITED).until_response().layer(inner)
        }),
        cases!("seawall InFlightLimit, per key", |inner| {
            InFlightLimitLayer::new(UNLIMITED).per_key(by_authority).layer(inner)
        }),
        cases!("seawall InFlightLimit, adaptive", |inner| {
            InFlightLimitLayer::adaptive(AdaptiveLimit::new()).layer(inner)
        }),
        // tower's limit releases its permit with the response head.
        cases!("tower ConcurrencyLimit", |inner| ConcurrencyLimit::new(inner, UNLIMITED_TOWER)),
        cases!("tower LoadShed and ConcurrencyLimit", |inner| {
            LoadShed::new(ConcurrencyLimit::new(inner, UNLIMITED_TOWER))
        }),
    ]
}

/// Returns variants of the complete stack. [`super::stacks`] compares it with the peers.
pub(super) fn standard() -> Vec<CaseGroup> {
    vec![
        cases!("seawall Standard, by a policy of 100 routes", |inner| {
            ConfiguredLayer::new(StandardLayer::new("billing"), routes()).layer(inner)
        })
        .all_requests()
        .all_subscribers(),
        cases!("seawall Standard, no log", |inner| {
            StandardLayer::new("billing").without_logging().layer(inner)
        }),
        cases!("seawall Standard, gateway", |inner| StandardLayer::gateway("edge").layer(inner))
            .all_requests()
            .all_subscribers(),
    ]
}

pub(super) fn http_timeout() -> HttpTimeout {
    HttpTimeout::with_status_code(StatusCode::GATEWAY_TIMEOUT, TIMEOUT)
}

const fn tower_retry() -> TowerRetry<RetryOn502> {
    TowerRetry::new(RetryOn502::new())
}

/// The default number of consecutive failures that opens failsafe's breaker.
const FIVE: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

/// Returns a breaker that opens only on consecutive failures.
fn failsafe_consecutive() -> StateMachine<ConsecutiveFailures<EqualJittered>, ()> {
    let backoff = equal_jittered(Duration::from_secs(10), Duration::from_secs(300));
    let policy = consecutive_failures(FIVE.get(), backoff);
    failsafe::Config::new().failure_policy(policy).build()
}

/// A limit that is never reached.
pub(crate) const UNLIMITED: NonZeroU32 = NonZeroU32::MAX;
pub(super) const UNLIMITED_TOWER: usize = Semaphore::MAX_PERMITS;

type Outcome<E> = Result<HttpResponse, E>;

pub(crate) fn resilience_breaker<E>()
-> CircuitBreakerLayer14<FnClassifier<impl Fn(&Outcome<E>) -> bool + Clone + Send + Sync + 'static>>
{
    CircuitBreakerLayer14::builder()
        .failure_classifier(|outcome: &Outcome<E>| {
            outcome.as_ref().map_or(true, |response| response.status().is_server_error())
        })
        .build()
        .expect("the defaults are valid")
}

pub(super) fn resilience_retry<E: 'static>() -> RetryConfigBuilder<HttpRequest, HttpResponse, E> {
    ResilienceRetry::<HttpRequest, HttpResponse, E>::builder()
        .max_attempts(4)
        .fixed_backoff(Duration::ZERO)
        .retry_on_response(|response| response.status() == StatusCode::BAD_GATEWAY)
}

/// Returns tower-http's default log, with all events at DEBUG.
pub(super) fn trace() -> TraceLayer<SharedClassifier<ServerErrorsAsFailures>> {
    TraceLayer::new_for_http()
}

/// Returns the usual log of a server: a span, and an event for the response.
fn trace_at_info() -> TraceLayer<SharedClassifier<ServerErrorsAsFailures>> {
    TraceLayer::new_for_http()
        .make_span_with(DefaultMakeSpan::new().level(Level::INFO))
        .on_request(DefaultOnRequest::new().level(Level::TRACE))
        .on_response(DefaultOnResponse::new().level(Level::INFO))
}

/// Returns a configuration with 100 routes that match no request.
fn routes() -> Config {
    let route = |number| format!("[[route]]\nprefix = \"http://h{number}/v1\"\nretry.total = 1\n");
    let text: String = (0..100).map(route).collect();
    Config::from_toml(&text).expect("the routes are valid")
}
