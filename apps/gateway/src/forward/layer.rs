//! The layer around one service, outside of retry.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::Body;
use futures_util::future::{self, Either, Ready};
use http::{HeaderValue, Request, Response, StatusCode, Uri, Version};
use pin_project_lite::pin_project;
use seawall::BoxError;
use tower::{Layer, Service};

use super::{
    client_address::ClientAddress,
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
pub(crate) struct ForwardLayer(Arc<Settings>);

#[derive(Debug)]
struct Settings {
    name: String,
    /// `/NAME`.
    prefix: HeaderValue,
    config: Arc<ForwardingConfig>,
    location: Option<LocationRewriter>,
}

impl ForwardLayer {
    /// Creates the layer of the service at `/name`. `Location` and `Content-Location` at the URLs of
    /// `rewritten` are rewritten.
    pub(crate) fn new(name: &str, config: Arc<ForwardingConfig>, rewritten: Vec<Uri>) -> Self {
        // Infallible: a name has letters, digits and -_.~ only.
        let prefix = HeaderValue::try_from(["/", name].concat());
        let prefix = prefix.unwrap_or_else(|_| HeaderValue::from_static("/"));
        let location = (!rewritten.is_empty()).then_some(LocationRewriter(rewritten));
        Self(Arc::new(Settings { name: name.to_owned(), prefix, config, location }))
    }
    fn prepare(&self, request: &mut Request<Body>) -> Result<Exchange, Refusal> {
        let version = request.version();
        let uri = path::strip_name(request.uri(), &self.0.name);
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
        // The inner layers do not use it, and each attempt copies the extensions.
        let connection: Option<ConnectionInfo> = request.extensions_mut().remove();
        let peer = connection.as_ref().map(ConnectionInfo::peer);
        let scheme = connection.as_ref().map_or(Scheme::Http, ConnectionInfo::scheme);
        let trusted = &self.0.config.trusted_proxies;
        let headers = request.headers_mut();
        hop_by_hop::remove(headers);
        fields::join_cookies(headers);
        fields::remove_ignored_expectation(headers, version);
        fields::append_via(headers, version);
        let client = peer.map(|peer| ClientAddress::find(peer.address, headers, trusted));
        let is_trusted = peer.is_some_and(|peer| trusted.contains(peer.address));
        let caller = Caller { peer, scheme, prefix: &self.0.prefix, is_trusted };
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
    prefix: HeaderValue,
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
        if let Some(location) = &self.layer.0.location {
            location.rewrite(headers, self.prefix.to_str().unwrap_or_default());
        }
        if let Some(tunnel) = tunnel {
            Upgrade::set_fields(headers);
            tunnel.spawn(self.layer.0.config.tunnel_idle);
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
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Either<ResponseFuture<S::Future>, Ready<Result<Response<Body>, BoxError>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        match self.layer.prepare(&mut request) {
            Ok(exchange) => {
                let exchange = Some(exchange);
                Either::Left(ResponseFuture { inner: self.inner.call(request), exchange })
            }
            Err(refusal) => Either::Right(future::ready(Ok(refusal.into_response()))),
        }
    }
}

pin_project! {
    /// A call whose response is prepared for the caller.
    pub(crate) struct ResponseFuture<F> {
        #[pin]
        inner: F,
        // `None` after completion.
        exchange: Option<Exchange>,
    }
}

impl<F> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<Body>, BoxError>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        let exchange = this.exchange.take().expect("polled after completion");
        Poll::Ready(exchange.finish(response).map_err(Into::into))
    }
}
