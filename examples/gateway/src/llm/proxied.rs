//! Any other server: behind the standard stack, under the policy that the file has for its URLs.

use std::sync::atomic::Ordering;

use axum::body::Body;
use http::{Request, Response, Uri};
use seawall::{
    RequestDurationLayer, StandardLayer,
    config::{Config, ConfiguredLayer, Handle},
    retry::ReplayBody,
};
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneSyncService};

use super::service::Stack;
use crate::{
    headers,
    proxy::{self, Hyper, Upstream},
    watch::WatchLayer,
};

/// The policies, which are replaced as a whole. Clones are the same ones.
#[derive(Clone, Debug)]
pub(super) struct Policies {
    layer: ConfiguredLayer,
    handle: Handle,
}

impl Policies {
    pub(super) fn new(config: Config) -> Self {
        let layer = ConfiguredLayer::new(StandardLayer::new(headers::NAME), config);
        let handle = layer.handle();
        Self { layer, handle }
    }

    /// Circuits and budgets of routes that did not change stay as they are.
    pub(super) fn replace(&self, config: &Config) {
        self.handle.replace(config);
    }

    /// What the page shows of a server, and its client stack.
    pub(super) fn server(&self, name: &str, url: Uri, client: &Hyper) -> (Upstream, Stack) {
        let upstream = Upstream::under(self.handle.clone(), name.to_owned(), url);
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
        (upstream, BoxCloneSyncService::new(stack))
    }
}
