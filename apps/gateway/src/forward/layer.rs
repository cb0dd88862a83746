//! The layer around one service, outside of retry.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body;
use http::{Request, Response, StatusCode, Uri, Version};
use seawall::{BoxError, ReceivedTarget};
use tower::{Layer, Service};

use super::{
    client_address::{self, ClientAddress},
    config::ForwardingConfig,
    fields,
    forwarded::{self, Caller},
    hop_by_hop,
    location::LocationRewriter,
    path,
    refusal::Refusal,
    upgrade::{self, UnexpectedUpgrade, Upgrade},
};
use crate::server::{ConnectionInfo, Scheme};

/// The maximum length of a request target. With a base path, it is a URL of less than 64 KiB.
const MAX_TARGET_BYTES: usize = 60_000;

/// Prepares each request of a service for the upstreams, once, and its response for the caller.
///
/// The request that reaches the inner service has a target below `/`, no hop-by-hop fields, and a
/// [`ClientAddress`] in its extensions.
///
/// # Clone
///
/// Clones share the settings.
#[derive(Clone, Debug)]
pub(crate) struct ForwardLayer {
    name: Arc<str>,
    /// `/NAME`.
    prefix: Arc<str>,
    config: Arc<ForwardingConfig>,
    location: Option<LocationRewriter>,
}

impl ForwardLayer {
    /// Creates the layer of the service at `/name`.
    pub(crate) fn new(name: &str, config: Arc<ForwardingConfig>) -> Self {
        let prefix = ["/", name].concat().into();
        Self { name: name.into(), prefix, config, location: None }
    }

    /// Rewrites `Location` and `Content-Location` at the URLs of these upstreams. Off by default.
    pub(crate) fn rewrite_location(self, upstreams: impl IntoIterator<Item = Uri>) -> Self {
        let location = Some(LocationRewriter(upstreams.into_iter().collect()));
        Self { location, ..self }
    }

    fn prepare(&self, request: &mut Request<Body>) -> Result<Exchange, Refusal> {
        let version = request.version();
        ReceivedTarget::insert(request);
        let uri = path::strip_name(request.uri(), &self.name);
        let not_below = Refusal::bad_request("The request target is not a path of the service.");
        let uri = uri.ok_or(not_below)?;
        if uri.path_and_query().is_some_and(|target| target.as_str().len() > MAX_TARGET_BYTES) {
            return Err(Refusal::new(StatusCode::URI_TOO_LONG, "The request target is too long."));
        }
        if path::leaves_root(uri.path()) {
            return Err(Refusal::bad_request("The path leaves the service by dot segments."));
        }
        *request.uri_mut() = uri;
        let upgrade = Upgrade::take(request);
        let peer = client_address::peer_address(request.extensions());
        let scheme = request.extensions().get().map_or(Scheme::Http, ConnectionInfo::scheme);
        let trusted = &self.config.trusted_proxies;
        let headers = request.headers_mut();
        hop_by_hop::remove(headers);
        fields::join_cookies(headers);
        fields::remove_ignored_expectation(headers, version);
        fields::append_via(headers, version);
        let client = peer.map(|peer| ClientAddress::find(peer, headers, trusted));
        let is_trusted = peer.is_some_and(|peer| trusted.contains(peer));
        let caller = Caller { peer, scheme, prefix: &self.prefix, is_trusted };
        let prefix = forwarded::set(headers, caller);
        if upgrade.is_some() {
            Upgrade::set_fields(headers);
            // Its `Connection` does not list it, and a WebSocket has no trailers.
            headers.remove(http::header::TE);
        }
        if let Some(client) = client {
            request.extensions_mut().insert(client);
        }
        Ok(Exchange { upgrade, prefix, layer: self.clone() })
    }
}

/// A request that was sent on.
struct Exchange {
    upgrade: Option<Upgrade>,
    /// The path of the service at the first trusted proxy.
    prefix: String,
    layer: ForwardLayer,
}

impl Exchange {
    /// Prepares the response.
    ///
    /// # Errors
    /// Returns an error if the upstream switched to a protocol that the request did not ask for.
    fn finish(self, mut response: Response<Body>) -> Result<Response<Body>, UnexpectedUpgrade> {
        let version = response.version();
        let tunnel = if upgrade::is_switched(&response) {
            Some(self.upgrade.ok_or(UnexpectedUpgrade)?.accept(&mut response)?)
        } else {
            None
        };
        let headers = response.headers_mut();
        hop_by_hop::remove(headers);
        // A response has no `TE`.
        headers.remove(http::header::TE);
        fields::append_via(headers, version);
        if let Some(location) = &self.layer.location {
            location.rewrite(headers, &self.prefix);
        }
        if let Some(tunnel) = tunnel {
            Upgrade::set_fields(headers);
            tunnel.spawn(self.layer.config.tunnel_idle);
        }
        // Each hop has its own version (RFC 9110 §2.5).
        *response.version_mut() = Version::HTTP_11;
        Ok(response)
    }
}

impl<S> Layer<S> for ForwardLayer {
    type Service = Forward<S>;

    fn layer(&self, inner: S) -> Forward<S> {
        Forward { inner, layer: self.clone() }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Forward<S> {
    inner: S,
    layer: ForwardLayer,
}

impl<S> Service<Request<Body>> for Forward<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError, Future: Send + 'static>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        match self.layer.prepare(&mut request) {
            Ok(exchange) => {
                let call = self.inner.call(request);
                Box::pin(async move { exchange.finish(call.await?).map_err(Into::into) })
            }
            Err(refusal) => Box::pin(async move { Ok(refusal.into_response()) }),
        }
    }
}
