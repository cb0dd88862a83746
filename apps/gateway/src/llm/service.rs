//! What stands at `/NAME`: the door, retry, and the upstreams.

use std::{io, sync::Arc};

use axum::{Router, body::Body};
use http::Response;
use seawall::{DeadlineLayer, ErrorResponseLayer, Ratio, RetryLayer, retry::Budget};
use tower::{ServiceBuilder, util::BoxCloneSyncService};

use super::{
    condition::{Condition, Place},
    config::{self, Policy},
    door::DoorLayer,
    drain::DrainLayer,
    pool::Pool,
    scripted::Scripted,
    upstream,
};
use crate::{
    headers,
    policies::{Policies, Stack},
    proxy::{self, Hyper, Upstream},
};

/// So many retries are allowed in ten seconds however few requests there are. A model is asked seldom; and a retry that meets
/// another upstream is no load on the one that failed.
const RETRIES_MIN: u32 = 10;

/// A service that runs. Clones share all of it.
#[derive(Clone)]
pub(super) struct Service {
    name: String,
    stack: Stack,
    pub(super) upstreams: Vec<Upstream>,
    /// They run as long as it does.
    _scripted: Arc<[Scripted]>,
}

impl Service {
    /// Fails when a scripted upstream cannot listen.
    pub(super) fn start(
        config: &config::Service,
        policy: &Policy,
        policies: &Policies,
        client: &Hyper,
    ) -> io::Result<Self> {
        let name = config.name.as_ref().0.clone();
        if let Some(url) = &config.url {
            let upstream = policies.upstream(name.clone(), url.clone());
            let stack = policies.stack(&upstream, client);
            return Ok(Self { name, stack, upstreams: vec![upstream], _scripted: [].into() });
        }
        let mut scripted = Vec::new();
        let (mut upstreams, mut breakers) = (Vec::new(), Vec::new());
        for (at, config) in config.upstreams.iter().enumerate() {
            let mut url = config.url.clone().unwrap_or_default();
            if let Some(script) = config.script {
                let running = Scripted::start(script)?;
                url = running.url.clone();
                scripted.push(running);
            }
            let (upstream, breaker) = upstream::shown(&name, at + 1, url, policy);
            upstreams.push(upstream);
            breakers.push(breaker);
        }
        let conditions: Arc<[_]> =
            breakers.iter().map(|breaker| Condition::new(breaker.handle())).collect();
        let members = upstreams.iter().zip(breakers).zip(&config.upstreams).enumerate();
        let members = members.map(|(at, (upstream, config))| {
            let place = Place { all: Arc::clone(&conditions), at };
            upstream::member(upstream, place, &name, config, policy, client)
        });
        let pool = Pool::new(members.collect(), Arc::clone(&conditions));
        let mut retry = RetryLayer::new()
            .max_retries(policy.retries)
            .retry_if_probably_unprocessed(true)
            .retry_statuses([408, 409, 429].into_iter().chain(500..600))
            .budget(Budget::new(Ratio::percent(20), RETRIES_MIN))
            .max_replay_bytes(policy.body_limit);
        if policy.any_method {
            retry = retry.retry_all_methods();
        }
        let stack = ServiceBuilder::new()
            .map_response(|response: Response<_>| headers::of_response(response).map(Body::new))
            .layer(DeadlineLayer::new(policy.total))
            .layer(retry)
            .service(pool);
        let stack = BoxCloneSyncService::new(stack);
        Ok(Self { name, stack, upstreams, _scripted: scripted.into() })
    }

    /// Its routes, behind the door.
    pub(super) fn routes(&self, door: &DoorLayer) -> Router {
        let service = ServiceBuilder::new()
            .layer(DrainLayer)
            .layer(ErrorResponseLayer::new(headers::NAME))
            .layer(door.clone())
            .service(self.stack.clone());
        proxy::routes(&self.name, service)
    }
}
