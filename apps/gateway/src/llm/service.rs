//! One running service: authentication, retry and a balancer of its endpoints.

use std::sync::Arc;

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
    config_error::ConfigError,
    drain::DrainLayer,
    endpoint_stack,
    health::{EndpointHealth, HealthView},
    mock_upstream::MockUpstream,
};
use crate::{
    client::Clients,
    forward,
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
    pub(super) upstreams: Vec<Upstream>,
    /// Keeps the mock upstreams alive.
    _mocks: Arc<[MockUpstream]>,
}

impl RunningService {
    /// Starts the service.
    ///
    /// # Errors
    /// Returns an error if a mock upstream cannot listen, or if a proxy variable applies to an
    /// upstream in a way that is not supported.
    pub(super) fn start(
        config: &ServiceConfig,
        policy: &PolicyConfig,
        policies: &Policies,
        clients: &Clients,
    ) -> Result<Self, ConfigError> {
        let name = config.name.as_ref().0.clone();
        let setup_error = |error| ConfigError(format!("service `{name}`: {error}"));
        if let Some(url) = &config.url {
            let upstream = policies.upstream(name.clone(), url.clone());
            let client = clients.for_upstream(url, config.http2).map_err(setup_error)?;
            let stack = policies.client_stack(&upstream, client);
            return Ok(Self { name, stack, upstreams: vec![upstream], _mocks: [].into() });
        }
        let mut mocks = Vec::new();
        let (mut upstreams, mut breakers, mut selected) = (Vec::new(), Vec::new(), Vec::new());
        for (index, upstream_config) in config.upstreams.iter().enumerate() {
            let mut url = upstream_config.url.clone().unwrap_or_default();
            if let Some(behavior) = upstream_config.script {
                let mock = MockUpstream::start(behavior).map_err(|error| {
                    ConfigError(format!("cannot start a mock upstream: {error}"))
                })?;
                url = mock.url.clone();
                mocks.push(mock);
            }
            selected.push(clients.for_upstream(&url, upstream_config.http2).map_err(setup_error)?);
            let (upstream, breaker) = endpoint_stack::upstream(&name, index + 1, url, policy);
            upstreams.push(upstream);
            breakers.push(breaker);
        }
        let health: Arc<[_]> =
            breakers.iter().map(|breaker| EndpointHealth::new(breaker.handle())).collect();
        let endpoints =
            upstreams.iter().zip(breakers).zip(&config.upstreams).zip(selected).enumerate();
        let endpoints = endpoints.map(|(index, ((upstream, upstream_config), client))| {
            let health = HealthView { endpoints: Arc::clone(&health), index };
            endpoint_stack::endpoint(upstream, health, &name, upstream_config, policy, client)
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
            .map_response(|response: Response<_>| {
                forward::prepare_response(response).map(Body::new)
            })
            .layer(DeadlineLayer::new(policy.total))
            .layer(retry)
            .service(balancer);
        let stack = BoxCloneSyncService::new(stack);
        Ok(Self { name, stack, upstreams, _mocks: mocks.into() })
    }

    /// Returns the routes of the service, behind authentication.
    pub(super) fn routes(&self, auth: &AuthLayer) -> Router {
        let service = ServiceBuilder::new()
            .layer(DrainLayer)
            .layer(ErrorResponseLayer::new(forward::GATEWAY_NAME))
            .layer(auth.clone())
            .service(self.stack.clone());
        routing::service_routes(&self.name, service)
    }
}
