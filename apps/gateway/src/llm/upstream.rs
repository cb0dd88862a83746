//! The client stack of one upstream.

use std::sync::atomic::Ordering;

use axum::body::Body;
use http::{Request, Response, Uri};
use seawall::{
    BadGatewayClassifierLayer, BodyTimeoutLayer, CircuitBreakerLayer, LoggingLayer,
    RequestDurationLayer, TimeoutLayer, circuit_breaker::OpenBehavior, logging::Level,
};
use tower::{ServiceBuilder, ServiceExt, util::BoxService};

use super::{
    condition::Place,
    config::{self, Policy},
    headers as credentials,
    member::Member,
    pool::Outgoing,
};
use crate::{
    headers,
    proxy::{self, CircuitOf, Hyper, Upstream},
    watch::WatchLayer,
};

/// A circuit that keeps requests from it while it is open.
pub(super) type Breaker = CircuitBreakerLayer;

/// What the page shows of it, and its circuit.
pub(super) fn shown(
    service: &str,
    number: usize,
    url: Uri,
    policy: &Policy,
) -> (Upstream, Breaker) {
    // Of the same host there may be several, each with a key of its own.
    let name = format!("{service} {number} · {}", url.authority().map_or("", |host| host.as_str()));
    let breaker = CircuitBreakerLayer::new()
        .consecutive_failures(policy.open_after)
        .open_behavior(OpenBehavior::Backpressure)
        .named(&name);
    (Upstream::new(name, url, CircuitOf::Upstream(breaker.handle())), breaker)
}

/// What the balancer sees of it.
pub(super) fn member(
    (upstream, breaker): (&Upstream, Breaker),
    place: Place,
    service: &str,
    config: &config::Upstream,
    policy: &Policy,
    client: &Hyper,
) -> Member {
    let noted = place.clone();
    let Upstream { url, sent, stats, .. } = upstream.clone();
    let service = service.to_owned();
    let key = config.api_key_env.as_ref().map(|key| config.api_key_header.header(key));
    let replaces = key.is_some();
    let stack = ServiceBuilder::new()
        .map_request(move |mut request: Outgoing| {
            *request.uri_mut() = proxy::target(&url, &service, request.uri());
            headers::of_request(&mut request);
            if replaces {
                let (mut head, body) = request.into_parts();
                credentials::remove_credentials(&mut head.headers, &mut head.uri);
                request = Request::from_parts(head, body);
            }
            request
        })
        .layer(WatchLayer(stats))
        .layer(RequestDurationLayer::client())
        // Whether a failed attempt is a failure, retry decides; the line of the server says it.
        .layer(LoggingLayer::client().failure_level(Level::Info).span_level(Level::Debug))
        .layer(breaker)
        .layer(TimeoutLayer::new(policy.attempt))
        // Innermost, so that nothing that looks at a request sees the key.
        .map_request(move |mut request: Outgoing| {
            sent.fetch_add(1, Ordering::Relaxed);
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
        noted.note(outcome.as_ref());
        outcome
    });
    Member::new(BoxService::new(stack), place)
}
