//! One running service: authentication, retry and a balancer of its endpoints.

use std::sync::Arc;

use axum::{Router, body::Body};
use http::Response;
use seawall::{
    BoxError, Ratio,
    deadline::DeadlineLayer,
    error_response::ErrorResponseLayer,
    retry::{Budget, RetryLayer},
};
use tower::{ServiceBuilder, util::BoxCloneSyncService};

use super::{
    balancer::Balancer,
    client_wait::ClientWaitLayer,
    drain::DrainLayer,
    endpoint_stack,
    kept_bodies::KeptBodiesLayer,
    resources::Resources,
    scripted::ScriptedUpstream,
    status::{Monitor, ServiceStatus},
};
use crate::{
    access::{CorsLayer, ServiceAccess},
    clone_on_call::CloneOnCall,
    config::{Policy, ServiceConfig},
    dialect::{Dialect, format_error},
    forward::{self, ForwardLayer, ForwardingConfig},
    observe::ObserveLayer,
    routing,
    upstream::Upstream,
};

/// The number of retries that the budget always allows in ten seconds.
///
/// LLM requests are infrequent, and a retry at another endpoint adds no load to the failed one.
const MIN_RETRIES: u32 = 10;

type ServiceStack = BoxCloneSyncService<http::Request<Body>, Response<Body>, BoxError>;

/// A running service.
///
/// # Clone
///
/// Clones share all state.
#[derive(Clone)]
pub(super) struct RunningService {
    name: String,
    dialect: Option<Dialect>,
    adds_api_keys: bool,
    rewrites_location: bool,
    stack: ServiceStack,
    pub(super) upstreams: Vec<Upstream>,
    monitor: Monitor,
}

impl RunningService {
    /// Starts the service.
    ///
    /// # Errors
    /// Returns the reason if a scripted upstream cannot listen, or if a proxy variable applies to an
    /// upstream in a way that is not supported.
    pub(super) fn start(
        config: &ServiceConfig,
        policy: &Policy,
        resources: &Resources,
    ) -> Result<Self, String> {
        let name = config.name().to_owned();
        let (mut upstreams, mut endpoints) = (Vec::new(), Vec::new());
        let upstream_configs = config.upstreams();
        let is_only_endpoint = upstream_configs.len() == 1;
        for (index, upstream_config) in upstream_configs.iter().enumerate() {
            let mut url = upstream_config.url.clone().unwrap_or_default();
            let mut scripted = None;
            if let Some(behavior) = upstream_config.script {
                let upstream = ScriptedUpstream::start(behavior)
                    .map_err(|error| format!("cannot start a scripted upstream: {error}"))?;
                url = upstream.url.clone();
                scripted = Some(upstream);
            }
            let client = resources
                .clients
                .for_upstream(&url, upstream_config.http2)
                .map_err(|error| error.to_string())?;
            let upstream_name = if is_only_endpoint {
                name.clone()
            } else {
                // The number distinguishes endpoints with the same host and different API keys.
                let host = url.authority().map_or("", |host| host.as_str());
                format!("{name} {} · {host}", index + 1)
            };
            let (upstream, endpoint) = endpoint_stack::endpoint(
                &upstream_name,
                url,
                upstream_config,
                config.dialect,
                policy,
                client,
                is_only_endpoint,
            );
            upstreams.push(upstream);
            endpoints.push(endpoint.with_scripted_upstream(scripted));
        }
        let stats = is_only_endpoint.then(|| Arc::clone(&upstreams[0].stats));
        let budget = Budget::new(Ratio::percent(20), MIN_RETRIES);
        let monitor = Monitor::new(budget.clone(), &upstreams, &endpoints);
        let mut retry = RetryLayer::new()
            .named(&name)
            .max_retries(policy.max_retries(endpoints.len(), config.dialect))
            .retry_if_probably_unprocessed(true)
            .budget(budget.clone())
            .max_replay_bytes(policy.body_limit);
        if config.dialect.is_some() || policy.any_method {
            retry = retry.retry_statuses([408, 409, 429].into_iter().chain(500..600));
        }
        if policy.any_method {
            retry = retry.retry_all_methods();
        }
        let kept_bodies =
            KeptBodiesLayer::new(resources.kept_bodies.clone(), policy.body_limit, retry.clone());
        let stack = ServiceBuilder::new()
            // The statistics of one of several upstreams do not include retries at another.
            .option_layer(stats.map(ObserveLayer))
            .map_response(|response: Response<_>| response.map(Body::new))
            .layer(ClientWaitLayer::new())
            .layer(DeadlineLayer::new(policy.total))
            .layer(kept_bodies)
            .layer(retry)
            .service(Balancer::new(endpoints));
        let stack = BoxCloneSyncService::new(stack);
        Ok(Self {
            name,
            dialect: config.dialect,
            adds_api_keys: config.has_api_keys(),
            rewrites_location: config.rewrite_location,
            stack,
            upstreams,
            monitor,
        })
    }

    pub(super) fn status(&self) -> ServiceStatus {
        self.monitor.status(&self.name, self.dialect)
    }

    /// Returns whether this is the other service, not one that replaces it.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.monitor.is_same_as(&other.monitor)
    }

    /// Returns the routes of the service, behind authentication.
    pub(super) fn routes(
        &self,
        access: &ServiceAccess,
        forwarding: &Arc<ForwardingConfig>,
    ) -> Router {
        let mut forward = ForwardLayer::new(&self.name, Arc::clone(forwarding));
        if self.rewrites_location {
            let urls = self.upstreams.iter().map(|upstream| upstream.url.clone());
            forward = forward.rewrite_location(urls);
        }
        let dialect = self.dialect;
        let service = ServiceBuilder::new()
            .layer(DrainLayer)
            .layer(CorsLayer::new(access, self.adds_api_keys))
            .map_response(move |response: Response<_>| match dialect {
                Some(dialect) => format_error(dialect, response),
                None => response,
            })
            .map_response(|response: Response<_>| response.map(Body::new))
            .layer(ErrorResponseLayer::new(forward::GATEWAY_NAME))
            .layer(forward)
            .layer(access.auth_layer(&self.name, self.adds_api_keys))
            .service(self.stack.clone());
        routing::service_routes(&self.name, CloneOnCall::new(service))
    }
}
