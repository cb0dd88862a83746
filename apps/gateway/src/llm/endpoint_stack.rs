//! The client stack of one endpoint.

use std::sync::atomic::Ordering;

use axum::body::Body;
use http::{Request, Response, Uri};
use seawall::{
    bad_gateway::BadGatewayClassifierLayer,
    body_timeout::BodyTimeoutLayer,
    circuit_breaker::{CircuitBreakerLayer, OpenBehavior},
    logging::{Level, LoggingLayer},
    request_duration::RequestDurationLayer,
    timeout::TimeoutLayer,
};
use tower::{ServiceBuilder, ServiceExt, util::BoxService};

use super::{
    balancer::UpstreamRequest,
    config::{PolicyConfig, UpstreamConfig},
    credentials,
    endpoint::Endpoint,
    health::HealthView,
};
use crate::{
    client::HttpClient,
    observe::ObserveLayer,
    upstream::{CircuitSource, Upstream},
};

/// Creates the dashboard's entry of an endpoint, and its circuit breaker.
pub(super) fn upstream(
    service: &str,
    number: usize,
    url: Uri,
    policy: &PolicyConfig,
) -> (Upstream, CircuitBreakerLayer) {
    // The number distinguishes endpoints with the same host and different API keys.
    let name = format!("{service} {number} · {}", url.authority().map_or("", |host| host.as_str()));
    let breaker = CircuitBreakerLayer::new()
        .consecutive_failures(policy.open_after)
        .open_behavior(OpenBehavior::Backpressure)
        .named(&name);
    (Upstream::new(name, url, CircuitSource::Own(breaker.handle())), breaker)
}

/// Creates the endpoint that the balancer uses.
pub(super) fn endpoint(
    (upstream, breaker): (&Upstream, CircuitBreakerLayer),
    health: HealthView,
    config: &UpstreamConfig,
    policy: &PolicyConfig,
    client: &HttpClient,
) -> Endpoint {
    let observed_health = health.clone();
    let Upstream { target, requests_sent, stats, .. } = upstream.clone();
    let key = config.api_key_env.as_ref().map(|key| config.api_key_header.with_key(key));
    let replaces_credentials = key.is_some();
    let stack = ServiceBuilder::new()
        .filter(move |request: UpstreamRequest| target.rewrite(request))
        .map_request(move |mut request: UpstreamRequest| {
            if replaces_credentials {
                let (mut head, body) = request.into_parts();
                credentials::remove_credentials(&mut head.headers, &mut head.uri);
                request = Request::from_parts(head, body);
            }
            request
        })
        .layer(ObserveLayer(stats))
        .layer(RequestDurationLayer::client())
        // A failed attempt may be retried, so the outcome is in the server's log line.
        .layer(LoggingLayer::client().failure_level(Level::Info).span_level(Level::Debug))
        .layer(breaker)
        .layer(TimeoutLayer::new(policy.attempt).pause_while_body_pending())
        // Adds the API key below the other layers, so that none can log it.
        .map_request(move |mut request: UpstreamRequest| {
            requests_sent.fetch_add(1, Ordering::Relaxed);
            if let Some((name, value)) = &key {
                request.headers_mut().insert(name, value.clone());
            }
            request
        })
        .layer(BodyTimeoutLayer::new().idle(policy.idle))
        .layer(BadGatewayClassifierLayer::new())
        .service(client.clone());
    let stack = stack.map_result(move |outcome: Result<Response<_>, _>| {
        let outcome = outcome.map(|response| response.map(Body::new));
        observed_health.record(outcome.as_ref());
        outcome
    });
    Endpoint::new(BoxService::new(stack), health)
}
