//! What stands at `/NAME`: the door, retry, and the upstreams.

use std::{io, sync::Arc};

use axum::{Router, body::Body};
use http::Response;
use seawall::{DeadlineLayer, ErrorResponseLayer, RetryLayer};
use tower::{ServiceBuilder, util::BoxCloneSyncService};

use super::{
    config::{self, Policy},
    door::DoorLayer,
    pool::Pool,
    scripted::Scripted,
    upstream,
};
use crate::{
    headers,
    proxy::{self, Hyper, Upstream},
};

/// A service that runs. Clones share all of it.
#[derive(Clone)]
pub(super) struct Service {
    name: String,
    stack: BoxCloneSyncService<http::Request<Body>, Response<Body>, seawall::BoxError>,
    pub(super) upstreams: Vec<Upstream>,
    /// They run as long as it does.
    _scripted: Arc<[Scripted]>,
}

impl Service {
    /// Fails when a scripted upstream cannot listen.
    pub(super) fn start(
        config: &config::Service,
        policy: &Policy,
        client: &Hyper,
    ) -> io::Result<Self> {
        let name = config.name.as_ref().0.clone();
        let mut scripted = Vec::new();
        let (mut upstreams, mut members) = (Vec::new(), Vec::new());
        for config in &config.upstreams {
            let mut url = config.url.clone().unwrap_or_default();
            if let Some(script) = config.script {
                let running = Scripted::start(script)?;
                url = running.url.clone();
                scripted.push(running);
            }
            let (upstream, member) = upstream::member(&name, &url, config, policy, client);
            upstreams.push(upstream);
            members.push(member);
        }
        let mut retry = RetryLayer::new()
            .total(policy.retries)
            .retry_unlikely(true)
            .status_forcelist([408, 409, 429].into_iter().chain(500..600))
            .body_limit(policy.body_limit);
        if policy.any_method {
            retry = retry.any_method();
        }
        let stack = ServiceBuilder::new()
            .map_response(|response: Response<_>| headers::of_response(response).map(Body::new))
            .layer(DeadlineLayer::new(policy.total))
            .layer(retry)
            .service(Pool::new(members));
        let stack = BoxCloneSyncService::new(stack);
        Ok(Self { name, stack, upstreams, _scripted: scripted.into() })
    }

    /// Its routes, behind the door.
    pub(super) fn routes(&self, door: &DoorLayer) -> Router {
        let service = ServiceBuilder::new()
            .layer(ErrorResponseLayer::new(headers::NAME))
            .layer(door.clone())
            .service(self.stack.clone());
        proxy::routes(&self.name, service)
    }
}
