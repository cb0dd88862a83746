//! What stands at `/NAME`: the door, retry, and the upstreams.

use axum::{Router, body::Body};
use http::{HeaderValue, Response};
use seawall::{
    DeadlineLayer, ErrorResponseLayer, RetryLayer,
    retry::{Attempts, Stop},
};
use tower::{ServiceBuilder, util::BoxCloneSyncService};

use super::{
    config::{self, Policy},
    door::DoorLayer,
    pool::Pool,
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
}

impl Service {
    pub(super) fn start(config: &config::Service, policy: &Policy, client: &Hyper) -> Self {
        let name = config.name.as_ref().0.clone();
        let each = config.upstreams.iter();
        let (upstreams, members): (Vec<_>, Vec<_>) =
            each.map(|config| upstream::member(&name, config, policy, client)).unzip();
        let mut retry = RetryLayer::new()
            .total(policy.retries)
            .retry_unlikely(true)
            .status_forcelist([408, 409, 429].into_iter().chain(500..600))
            .body_limit(policy.body_limit);
        if policy.any_method {
            retry = retry.any_method();
        }
        let stack = ServiceBuilder::new()
            .map_response(|response: Response<_>| finish(response.map(Body::new)))
            .layer(DeadlineLayer::new(policy.total))
            .layer(retry)
            .service(Pool::new(members));
        Self { name, stack: BoxCloneSyncService::new(stack), upstreams }
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

/// Ends the hop; and after retries that did not help tells the client, which has some of its own, not to begin again:
/// three tries of four attempts each would be twelve.
fn finish(mut response: Response<Body>) -> Response<Body> {
    let version = response.version();
    headers::end_hop(response.headers_mut(), version);
    *response.version_mut() = http::Version::HTTP_11;
    let attempts = response.extensions().get::<Attempts>();
    let gave_up = attempts.and_then(|attempts| {
        let stop = attempts.stop()?;
        Some(attempts.count().get() > 1 || stop == Stop::BudgetSpent)
    });
    if gave_up == Some(true) {
        response.headers_mut().insert("x-should-retry", HeaderValue::from_static("false"));
    }
    response
}
