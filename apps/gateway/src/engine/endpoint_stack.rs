//! The client stack of one endpoint.

use std::{
    num::NonZeroU32,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use http::Uri;
use seawall::{
    RequestAttributes,
    bad_gateway::BadGatewayClassifierLayer,
    body_timeout::BodyTimeoutLayer,
    circuit_breaker::{CircuitBreakerLayer, OpenBehavior},
    commit::CommitLayer,
    logging::{Level, LoggingLayer},
    request_duration::RequestDurationLayer,
    timeout::TimeoutLayer,
};
use tower::{ServiceBuilder, ServiceExt};

use super::{
    balancer::UpstreamRequest,
    edit_request::EditRequestLayer,
    endpoint::{Endpoint, EndpointStack},
    health::EndpointHealth,
};
use crate::{
    access::{self, ApiKeyHeader},
    client::UpstreamClient,
    config::{Policy, UpstreamConfig},
    dialect::{Dialect, ResponseJudge},
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
) -> (Upstream, Endpoint<impl EndpointStack>) {
    let breaker = CircuitBreakerLayer::new()
        .until_body_end()
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
    // The stack is cloned for each request.
    let (target, key) = (Arc::new(target), key.map(Arc::new));
    let stack = ServiceBuilder::new()
        .layer(EditRequestLayer::new(move |request: &mut UpstreamRequest| {
            target.rewrite(request)?;
            if replaces_credentials {
                access::remove_credentials(request);
            }
            Ok(())
        }))
        .layer(ObserveLayer((!is_only_endpoint).then_some(stats)))
        .layer(request_duration(&upstream))
        // The server's line has the failure of the request. At INFO, the attempts of an outage
        // would fill the log.
        .layer(LoggingLayer::client().failure_level(Level::Debug).span_level(Level::Debug))
        .layer(breaker)
        .layer(TimeoutLayer::new(policy.attempt).pause_while_body_pending())
        // Adds the API key below the other layers, so that none can log it.
        .layer(EditRequestLayer::new(move |request: &mut UpstreamRequest| {
            requests_sent.fetch_add(1, Ordering::Relaxed);
            if let Some(attributes) = request.extensions().get::<RequestAttributes>() {
                attributes.set_upstream(Arc::clone(&name), key_name.clone());
            }
            if let Some((name, value)) = key.as_deref() {
                request.headers_mut().insert(name, value.clone());
            }
            Ok(())
        }))
        // Outside of the body's time limit, so that a stall before the content is retried.
        .layer(CommitLayer::new(ResponseJudge::new(dialect)))
        .layer(BodyTimeoutLayer::new().idle(policy.idle))
        .layer(BadGatewayClassifierLayer::new())
        .service(client);
    let stack = stack.map_result(move |outcome: Result<_, _>| {
        observed_health.record(outcome.as_ref());
        outcome
    });
    (upstream, Endpoint::new(stack, health))
}

/// Measures the attempts at an upstream, with its name and the variable of its key as labels.
fn request_duration(upstream: &Upstream) -> RequestDurationLayer {
    let layer = RequestDurationLayer::client().label("upstream", Arc::clone(&upstream.name));
    match &upstream.key {
        Some(key) => layer.label("upstream_key", Arc::clone(key)),
        None => layer,
    }
}
