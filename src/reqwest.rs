//! [`reqwest::Client`] as a service of [`http`] types, so that layers go around it.
//!
//! reqwest's own service takes a type of request that no HTTP layer can look into.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! use http_body_util::Empty;
//! use seawall::retry::RetryLayer;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! let client = ServiceBuilder::new()
//!     .layer(RetryLayer::new())
//!     .service(seawall::reqwest::Client::build(reqwest::Client::builder())?);
//!
//! let request = http::Request::get("http://127.0.0.1:8080/").body(Empty::<bytes::Bytes>::new())?;
//! let response = client.oneshot(request).await?;
//! # let _ = response;
//! # Ok(())
//! # }
//! ```
//!
//! Bodies need not be `Sync`, though reqwest's own do, so that it can be the upstream of an axum gateway. A body that says how
//! long it is is sent with `Content-Length`.
//!
//! # Around the connector
//!
//! [`ClientBuilder::connector_layer`] takes layers around the making of connections, if they take requests of any type:
//! [`TimeoutLayer`](crate::timeout::TimeoutLayer), which covers the name lookup and the TLS handshake too, and
//! [`InFlightLimitLayer`](crate::in_flight::InFlightLimitLayer) until the response. What they refuse is a failure of connecting, so that a
//! request of any method may be sent again. Retrying stays with the layer around the client: what asks for a connection cannot be
//! cloned.
//!
//! ```
//! # #[cfg(all(feature = "timeout", feature = "in-flight"))] {
//! use std::{num::NonZeroU32, time::Duration};
//! use seawall::{in_flight::InFlightLimitLayer, timeout::TimeoutLayer};
//!
//! let builder = reqwest::Client::builder()
//!     .connector_layer(TimeoutLayer::new(Duration::from_secs(1)))
//!     .connector_layer(InFlightLimitLayer::new(NonZeroU32::MIN).until_response());
//! let client = seawall::reqwest::Client::build(builder);
//! # }
//! ```

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::reqwest::{Body, ClientBuilder, Request, redirect::Policy};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use seawall_core::BoxError;
use sync_wrapper::SyncWrapper;
use tower_service::Service;

#[doc(inline)]
pub use seawall_core::ReqwestError as Error;

/// A [`reqwest::Client`] as a service. Clones share its pool of connections.
///
/// reqwest follows redirects and repeats some requests by itself, and does not say so in its errors. After a redirect,
/// though, a refused connection no longer proves that nothing was processed: the server that redirected has answered. So
/// prefer [`build`](Self::build), where neither happens, and leave both to layers.
#[derive(Clone, Debug)]
pub struct Client {
    inner: ::reqwest::Client,
    redirects: bool,
}

impl Client {
    /// Builds a client that neither follows redirects nor repeats requests by itself, whatever the builder says.
    ///
    /// # Errors
    /// Those of [`ClientBuilder::build`].
    pub fn build(builder: ClientBuilder) -> Result<Self, ::reqwest::Error> {
        let builder = builder.redirect(Policy::none()).retry(::reqwest::retry::never());
        Ok(Self { inner: builder.build()?, redirects: false })
    }

    /// Wraps a client as it was built. It may follow redirects, so a failure of it is never
    /// [`Processed::No`](crate::Processed::No), and requests of other than idempotent methods are not retried.
    #[must_use]
    pub const fn new(inner: ::reqwest::Client) -> Self {
        Self { inner, redirects: true }
    }
}

impl<B> Service<http::Request<B>> for Client
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = http::Response<Body>;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // As reqwest's own: it has no limit to be ready for.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let state = match Request::try_from(request.map(to_reqwest_body)) {
            Ok(request) => State::Sent { inner: Service::call(&mut self.inner, request) },
            Err(error) => State::Refused { error: Some(error) },
        };
        ResponseFuture { state, redirects: self.redirects }
    }
}

/// Converts a body. An empty one becomes reqwest's own empty body, since a client that follows redirects can resend only that.
fn to_reqwest_body<B>(body: B) -> Body
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    if body.is_end_stream() { Body::default() } else { Body::wrap(SyncBody::new(body)) }
}

pin_project! {
    /// A body that is `Sync`, as reqwest requires and axum's is not. Its size and end, which a shared reference must give, are
    /// cached.
    struct SyncBody<B> {
        #[pin]
        inner: SyncWrapper<B>,
        hint: SizeHint,
        ended: bool,
    }
}

impl<B: http_body::Body> SyncBody<B> {
    fn new(body: B) -> Self {
        let (hint, ended) = (body.size_hint(), body.is_end_stream());
        Self { inner: SyncWrapper::new(body), hint, ended }
    }
}

impl<B: http_body::Body> http_body::Body for SyncBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let mut body = this.inner.get_pin_mut();
        let frame = body.as_mut().poll_frame(cx);
        (*this.hint, *this.ended) = (body.size_hint(), body.is_end_stream());
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

pin_project! {
    /// Response future of [`Client`].
    #[derive(Debug)]
    pub struct ResponseFuture {
        #[pin]
        state: State,
        redirects: bool,
    }
}

pin_project! {
    #[project = StateProj]
    #[derive(Debug)]
    enum State {
        Sent { #[pin] inner: <::reqwest::Client as Service<Request>>::Future },
        // The URL is one that reqwest cannot take.
        Refused { error: Option<::reqwest::Error> },
    }
}

impl Future for ResponseFuture {
    type Output = Result<http::Response<Body>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = match this.state.project() {
            StateProj::Sent { inner } => ready!(inner.poll(cx)),
            StateProj::Refused { error } => Err(error.take().expect("polled after completion")),
        };
        Poll::Ready(result.map(Into::into).map_err(|error| Error::new(error, *this.redirects)))
    }
}
