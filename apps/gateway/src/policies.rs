//! The standard stack in front of a server, under policies.

use std::{sync::atomic::Ordering, time::Duration};

use axum::body::Body;
use http::{Request, Response, Uri};
use seawall::{
    BoxError, RequestDurationLayer, StandardLayer,
    config::{Config, ConfiguredLayer, Handle},
    retry::ReplayBody,
    standard::Timeouts,
};
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneSyncService};

use crate::{
    headers,
    proxy::{self, CircuitOf, Hyper, Upstream},
    watch::WatchLayer,
};

/// How long a request may take to the head of its response, all attempts together.
const TOTAL: Duration = Duration::from_secs(30);

/// A client stack of whatever parts.
pub(crate) type Stack = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;

/// The policies, which are replaced as a whole. Clones are the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Policies {
    layer: ConfiguredLayer,
    handle: Handle,
}

impl Policies {
    pub(crate) fn new(config: Config) -> Self {
        Self::of(StandardLayer::new(headers::NAME), config)
    }

    /// One policy for all: an attempt may take so long.
    pub(crate) fn with_attempt(attempt: Duration) -> Self {
        let stack = StandardLayer::new(headers::NAME);
        // The total is never below.
        let timeouts = Timeouts::new(attempt, TOTAL.max(attempt));
        let stack =
            timeouts.map_or_else(|_| stack.clone(), |timeouts| stack.clone().timeouts(timeouts));
        Self::of(stack, Config::default())
    }

    fn of(stack: StandardLayer, config: Config) -> Self {
        let layer = ConfiguredLayer::new(stack, config);
        let handle = layer.handle();
        Self { layer, handle }
    }

    /// Circuits and budgets of routes that did not change stay as they are.
    pub(crate) fn replace(&self, config: &Config) {
        self.handle.replace(config);
    }

    pub(crate) fn upstream(&self, name: String, url: Uri) -> Upstream {
        Upstream::new(name, url, CircuitOf::Policies(self.handle.clone()))
    }

    /// Its client stack.
    pub(crate) fn stack(&self, upstream: &Upstream, client: &Hyper) -> Stack {
        let Upstream { name, url, sent, stats, .. } = upstream.clone();
        let stack = ServiceBuilder::new()
            .map_request(move |mut request: Request<Body>| {
                *request.uri_mut() = proxy::target(&url, &name, request.uri());
                headers::of_request(&mut request);
                request
            })
            .map_response(headers::of_response)
            .layer(WatchLayer(stats))
            .layer(RequestDurationLayer::client())
            .layer(self.layer.clone())
            .map_request(move |request: Request<ReplayBody<Body>>| {
                sent.fetch_add(1, Ordering::Relaxed);
                request
            })
            .service(client.clone());
        let stack = stack.map_response(|response: Response<_>| response.map(Body::new));
        BoxCloneSyncService::new(stack)
    }
}
