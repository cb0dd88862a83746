//! One running service: authentication, retry and a balancer of its endpoints.

use std::sync::Arc;

use axum::body::Body;
use http::Response;
use seawall::{
    Ratio,
    deadline::DeadlineLayer,
    retry::{Budget, RetryLayer},
};
use tower::ServiceBuilder;

use super::{
    balancer::Balancer,
    client_wait::ClientWaitLayer,
    endpoint_stack,
    front::Front,
    kept_bodies::KeptBodiesLayer,
    last_response,
    resources::Resources,
    routes::ServedService,
    scripted::ScriptedUpstream,
    status::{Monitor, ServiceStatus},
};
use crate::{
    access::ServiceAccess,
    config::{Policy, ServiceConfig},
    forward::ForwardingConfig,
    observe::ObserveLayer,
    shared_service::SharedService,
    upstream::Upstream,
};

/// The number of retries that the budget always allows in ten seconds.
///
/// LLM requests are infrequent, and a retry at another endpoint adds no load to the failed one.
const MIN_RETRIES: u32 = 10;

/// Adds the layers in front of a service, which depend on the configuration of all services.
///
/// The stack of the service keeps its type, so that only the whole is boxed.
type Serve = dyn Fn(&ServiceAccess, &Arc<ForwardingConfig>) -> ServedService + Send + Sync;

/// A running service.
///
/// # Clone
///
/// Clones share all state.
#[derive(Clone)]
pub(super) struct RunningService {
    serve: Arc<Serve>,
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
        let monitor = Monitor::new(config, budget.clone(), &upstreams, &endpoints);
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
            .map_response(|response: Response<_>| response.map(Body::new))
            // The statistics of one of several upstreams do not include retries at another.
            .layer(ObserveLayer(stats))
            .layer(ClientWaitLayer::new())
            .layer(DeadlineLayer::new(policy.total))
            .layer(kept_bodies)
            .map_result(last_response::restore)
            .layer(retry)
            .map_response(last_response::record)
            .service(Balancer::new(endpoints));
        let urls = upstreams.iter().map(|upstream: &Upstream| upstream.url.clone());
        let front = Front {
            name,
            dialect: config.dialect,
            adds_api_keys: config.has_api_keys(),
            rewritten: urls.filter(|_| config.rewrite_location).collect(),
        };
        let serve: Arc<Serve> = Arc::new(move |access, forwarding| {
            SharedService::new(front.layer(access, forwarding, stack.clone()))
        });
        Ok(Self { serve, upstreams, monitor })
    }

    pub(super) fn status(&self) -> ServiceStatus {
        self.monitor.status()
    }

    /// Returns whether this is the other service, not one that replaces it.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.monitor.is_same_as(&other.monitor)
    }

    /// Returns the service behind authentication.
    pub(super) fn served(
        &self,
        access: &ServiceAccess,
        forwarding: &Arc<ForwardingConfig>,
    ) -> ServedService {
        (self.serve)(access, forwarding)
    }
}
