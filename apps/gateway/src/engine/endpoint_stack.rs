//! The client stack of one endpoint.

use std::{
    num::NonZeroU32,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::body::Body;
use http::{Request, Response, Uri};
use seawall::{
    RequestAttributes,
    bad_gateway::BadGatewayClassifierLayer,
    body_timeout::BodyTimeoutLayer,
    circuit_breaker::{CircuitBreakerLayer, OpenBehavior},
    logging::{Level, LoggingLayer},
    request_duration::RequestDurationLayer,
    timeout::TimeoutLayer,
};
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneSyncService};

use super::{balancer::UpstreamRequest, endpoint::Endpoint, health::EndpointHealth};
use crate::{
    access::{self, ApiKeyHeader},
    client::UpstreamClient,
    config::{Policy, UpstreamConfig},
    dialect::Dialect,
    observe::ObserveLayer,
    upstream::Upstream,
};

/// The number of probes of a half-open circuit in each [`PROBE_TIMEOUT`], and the number of their
/// successes that closes it.
const PROBES: NonZeroU32 = const { NonZeroU32::new(5).unwrap() };

/// The time after which another request may take the place of a probe.
///
/// The answers of slow models take many seconds. Until the first one arrives, the circuit would
/// otherwise reject all requests beyond the first [`PROBES`].
const PROBE_TIMEOUT: Duration = Duration::from_millis(250);

/// Creates the endpoint that the balancer uses, and its entry in the dashboard. `name` is unique.
/// The statistics of an only endpoint are those of its service.
pub(super) fn endpoint(
    name: &str,
    url: Uri,
    config: &UpstreamConfig,
    dialect: Option<Dialect>,
    policy: &Policy,
    client: UpstreamClient,
    is_only_endpoint: bool,
) -> (Upstream, Endpoint) {
    let breaker = CircuitBreakerLayer::new()
        .consecutive_failures(policy.open_after(dialect))
        .half_open_probes(PROBES)
        .probe_timeout(PROBE_TIMEOUT)
        .open_behavior(OpenBehavior::Backpressure)
        .named(name);
    let upstream = Upstream::new(name, url, breaker.handle(), config);
    let health = EndpointHealth::new(breaker.handle());
    let observed_health = health.clone();
    let Upstream { target, requests_sent, stats, name, key: key_name, .. } = upstream.clone();
    let key = config.api_key_env.as_ref().map(|key| {
        let header = config.api_key_header.clone();
        header.or(dialect.map(ApiKeyHeader::of_dialect)).unwrap_or_default().with_key(key)
    });
    let replaces_credentials = key.is_some();
    let stack = ServiceBuilder::new()
        .filter(move |request: UpstreamRequest| target.rewrite(request))
        .map_request(move |mut request: UpstreamRequest| {
            if replaces_credentials {
                let (mut head, body) = request.into_parts();
                access::remove_credentials(&mut head.headers, &mut head.uri);
                request = Request::from_parts(head, body);
            }
            request
        })
        .option_layer((!is_only_endpoint).then_some(ObserveLayer(stats)))
        .map_response(|response: Response<_>| response.map(Body::new))
        .layer(request_duration(&upstream))
        // The server's line has the failure of the request. At INFO, the attempts of an outage
        // would fill the log.
        .layer(LoggingLayer::client().failure_level(Level::Debug).span_level(Level::Debug))
        .layer(breaker)
        .layer(TimeoutLayer::new(policy.attempt).pause_while_body_pending())
        // Adds the API key below the other layers, so that none can log it.
        .map_request(move |mut request: UpstreamRequest| {
            requests_sent.fetch_add(1, Ordering::Relaxed);
            if let Some(attributes) = request.extensions().get::<RequestAttributes>() {
                attributes.set_upstream(Arc::clone(&name), key_name.clone());
            }
            if let Some((name, value)) = &key {
                request.headers_mut().insert(name, value.clone());
            }
            request
        })
        .layer(BodyTimeoutLayer::new().idle(policy.idle))
        .layer(BadGatewayClassifierLayer::new())
        .service(client);
    let stack = stack.map_result(move |outcome: Result<Response<Body>, _>| {
        observed_health.record(outcome.as_ref());
        outcome
    });
    (upstream, Endpoint::new(BoxCloneSyncService::new(stack), health))
}

/// Measures the attempts at an upstream, with its name and the variable of its key as labels.
fn request_duration(upstream: &Upstream) -> RequestDurationLayer {
    let layer = RequestDurationLayer::client().label("upstream", Arc::clone(&upstream.name));
    match &upstream.key {
        Some(key) => layer.label("upstream_key", Arc::clone(key)),
        None => layer,
    }
}
