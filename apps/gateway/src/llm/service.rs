//! One running service: authentication, retry and a balancer of its endpoints.

use std::{io, sync::Arc};

use axum::{Router, body::Body};
use http::Response;
use seawall::{
    Ratio,
    deadline::DeadlineLayer,
    error_response::ErrorResponseLayer,
    retry::{Budget, RetryLayer},
};
use tower::{ServiceBuilder, util::BoxCloneSyncService};

use super::{
    auth::AuthLayer,
    balancer::Balancer,
    config::{PolicyConfig, ServiceConfig},
    drain::DrainLayer,
    endpoint_stack,
    health::{EndpointHealth, HealthView},
    mock_upstream::MockUpstream,
};
use crate::{
    client::HttpClient,
    forward::{self, ForwardLayer, ForwardingConfig},
    policies::{ClientStack, Policies},
    routing,
    upstream::Upstream,
};

/// The number of retries that the budget always allows in ten seconds.
///
/// LLM requests are infrequent, and a retry at another endpoint adds no load to the failed one.
const MIN_RETRIES: u32 = 10;

/// A running service.
///
/// # Clone
///
/// Clones share all state.
#[derive(Clone)]
pub(super) struct RunningService {
    name: String,
    stack: ClientStack,
    rewrite_location: bool,
    pub(super) upstreams: Vec<Upstream>,
    /// Keeps the mock upstreams alive.
    _mocks: Arc<[MockUpstream]>,
}

impl RunningService {
    /// Starts the service.
    ///
    /// # Errors
    /// Returns an error if a mock upstream cannot listen.
    pub(super) fn start(
        config: &ServiceConfig,
        policy: &PolicyConfig,
        policies: &Policies,
        client: &HttpClient,
    ) -> io::Result<Self> {
        let name = config.name.as_ref().0.clone();
        let rewrite_location = config.rewrite_location;
        if let Some(url) = &config.url {
            let upstream = policies.upstream(name.clone(), url.clone());
            let stack = policies.client_stack(&upstream, client);
            return Ok(Self {
                name,
                stack,
                rewrite_location,
                upstreams: vec![upstream],
                _mocks: [].into(),
            });
        }
        let mut mocks = Vec::new();
        let (mut upstreams, mut breakers) = (Vec::new(), Vec::new());
        for (index, upstream_config) in config.upstreams.iter().enumerate() {
            let mut url = upstream_config.url.clone().unwrap_or_default();
            if let Some(behavior) = upstream_config.script {
                let mock = MockUpstream::start(behavior)?;
                url = mock.url.clone();
                mocks.push(mock);
            }
            let (upstream, breaker) = endpoint_stack::upstream(&name, index + 1, url, policy);
            upstreams.push(upstream);
            breakers.push(breaker);
        }
        let health: Arc<[_]> =
            breakers.iter().map(|breaker| EndpointHealth::new(breaker.handle())).collect();
        let endpoints = upstreams.iter().zip(breakers).zip(&config.upstreams).enumerate();
        let endpoints = endpoints.map(|(index, (upstream, upstream_config))| {
            let health = HealthView { endpoints: Arc::clone(&health), index };
            endpoint_stack::endpoint(upstream, health, upstream_config, policy, client)
        });
        let balancer = Balancer::new(endpoints.collect(), Arc::clone(&health));
        let mut retry = RetryLayer::new()
            .max_retries(policy.retries)
            .retry_if_probably_unprocessed(true)
            .retry_statuses([408, 409, 429].into_iter().chain(500..600))
            .budget(Budget::new(Ratio::percent(20), MIN_RETRIES))
            .max_replay_bytes(policy.body_limit);
        if policy.any_method {
            retry = retry.retry_all_methods();
        }
        let stack = ServiceBuilder::new()
            .map_response(|response: Response<_>| response.map(Body::new))
            .layer(DeadlineLayer::new(policy.total))
            .layer(retry)
            .service(balancer);
        let stack = BoxCloneSyncService::new(stack);
        Ok(Self { name, stack, rewrite_location, upstreams, _mocks: mocks.into() })
    }

    /// Returns the routes of the service, behind authentication.
    pub(super) fn routes(&self, auth: &AuthLayer, forwarding: &Arc<ForwardingConfig>) -> Router {
        let mut forward = ForwardLayer::new(&self.name, Arc::clone(forwarding));
        if self.rewrite_location {
            let urls = self.upstreams.iter().map(|upstream| upstream.url.clone());
            forward = forward.rewrite_location(urls);
        }
        let service = ServiceBuilder::new()
            .layer(DrainLayer)
            .layer(ErrorResponseLayer::new(forward::GATEWAY_NAME))
            .layer(forward)
            .layer(auth.clone())
            .service(self.stack.clone());
        routing::service_routes(&self.name, service)
    }
}
