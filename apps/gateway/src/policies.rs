//! seawall's standard client stack, configured by policies.

use std::{sync::atomic::Ordering, time::Duration};

use axum::body::Body;
use http::{Request, Response, Uri};
use seawall::{
    BoxError,
    config::{Config, ConfiguredLayer, Handle},
    request_duration::RequestDurationLayer,
    retry::ReplayBody,
    standard::{StandardLayer, Timeouts},
};
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneSyncService};

use crate::{
    client::HttpClient,
    forward,
    observe::ObserveLayer,
    upstream::{CircuitSource, Upstream},
};

/// The timeout of all attempts of a request, until the response headers arrive.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(30);

/// A client stack with its type erased.
pub(crate) type ClientStack = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;

/// The policies of all upstreams, which are replaced together.
///
/// # Clone
///
/// Clones share the policies, circuits and budgets.
#[derive(Clone, Debug)]
pub(crate) struct Policies {
    layer: ConfiguredLayer,
    handle: Handle,
}

impl Policies {
    pub(crate) fn new(config: Config) -> Self {
        Self::from_stack(StandardLayer::new(forward::GATEWAY_NAME), config)
    }

    /// Creates the default policies with this attempt timeout.
    pub(crate) fn with_attempt_timeout(attempt: Duration) -> Self {
        let stack = StandardLayer::new(forward::GATEWAY_NAME);
        // The total timeout must be at least the attempt timeout.
        let timeouts = Timeouts::new(attempt, TOTAL_TIMEOUT.max(attempt));
        let stack =
            timeouts.map_or_else(|_| stack.clone(), |timeouts| stack.clone().timeouts(timeouts));
        Self::from_stack(stack, Config::default())
    }

    fn from_stack(stack: StandardLayer, config: Config) -> Self {
        let layer = ConfiguredLayer::new(stack, config);
        let handle = layer.handle();
        Self { layer, handle }
    }

    /// Replaces the policies. Unchanged routes keep their circuits and budgets.
    pub(crate) fn replace(&self, config: &Config) {
        self.handle.replace(config);
    }

    pub(crate) fn upstream(&self, name: String, url: Uri) -> Upstream {
        Upstream::new(name, url, CircuitSource::Policies(self.handle.clone()))
    }

    /// Returns the client stack of an upstream.
    pub(crate) fn client_stack(&self, upstream: &Upstream, client: &HttpClient) -> ClientStack {
        let Upstream { target, requests_sent, stats, .. } = upstream.clone();
        let stack = ServiceBuilder::new()
            .filter(move |request: Request<Body>| target.rewrite(request))
            .layer(ObserveLayer(stats))
            .layer(RequestDurationLayer::client())
            .layer(self.layer.clone())
            .map_request(move |request: Request<ReplayBody<Body>>| {
                requests_sent.fetch_add(1, Ordering::Relaxed);
                request
            })
            .service(client.clone());
        let stack = stack.map_response(|response: Response<_>| response.map(Body::new));
        BoxCloneSyncService::new(stack)
    }
}
