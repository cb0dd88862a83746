//! [`reqwest::Client`] as a service of [`http`] types, for use inside layers.
//!
//! reqwest's own service takes a request type that HTTP layers cannot inspect.
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
//! Bodies need not be `Sync`, unlike reqwest's own, so the client can be the upstream of an axum
//! gateway. A body with a known length is sent with `Content-Length`.
//!
//! # Silent connections
//!
//! Over HTTP/2 (reqwest's feature `http2`), every call uses the same connection, even if its peer has
//! disappeared. Set pings on the builder, so that reqwest closes such a connection:
//! `.http2_keep_alive_interval(Duration::from_secs(10))`,
//! `.http2_keep_alive_timeout(Duration::from_secs(5))` and `.http2_keep_alive_while_idle(true)`.
//! `seawall::hyper_util` explains why. Without the feature, reqwest uses HTTP/1.1, and a call that
//! times out closes its connection.
//!
//! # Around the connector
//!
//! [`ClientBuilder::connector_layer`] adds a layer around the connector. It accepts layers for
//! requests of any type:
//!
//! - [`TimeoutLayer`](crate::timeout::TimeoutLayer), which also covers the name lookup and the TLS
//!   handshake.
//! - [`InFlightLimitLayer`](crate::in_flight::InFlightLimitLayer), until the response.
//!
//! If such a layer fails, the connection fails, so a request of any method may be retried. Retry
//! only around the client: reqwest's connection request cannot be cloned.
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

/// A [`reqwest::Client`] as a service. Clones share its connection pool.
///
/// reqwest follows redirects and repeats some requests itself, and its errors do not show it. After
/// a redirect, a refused connection does not prove that the request was not processed: the server
/// that redirected has responded. Prefer [`build`](Self::build), which disables both, and leave
/// both to layers.
#[derive(Clone, Debug)]
pub struct Client {
    inner: ::reqwest::Client,
    follows_redirects: bool,
}

impl Client {
    /// Builds a client that neither follows redirects nor repeats requests itself, regardless of
    /// the builder's settings.
    ///
    /// # Errors
    /// Returns the errors of [`ClientBuilder::build`].
    pub fn build(builder: ClientBuilder) -> Result<Self, ::reqwest::Error> {
        let builder = builder.redirect(Policy::none()).retry(::reqwest::retry::never());
        Ok(Self { inner: builder.build()?, follows_redirects: false })
    }

    /// Wraps an existing client. It may follow redirects, so its failures are never
    /// [`Processed::No`](crate::Processed::No), and only idempotent methods are retried.
    #[must_use]
    pub const fn new(inner: ::reqwest::Client) -> Self {
        Self { inner, follows_redirects: true }
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
        // As reqwest's own service, which has no limit and is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let state = match Request::try_from(request.map(to_reqwest_body)) {
            Ok(request) => State::Sent { inner: Service::call(&mut self.inner, request) },
            Err(error) => State::Rejected { error: Some(error) },
        };
        ResponseFuture { state, follows_redirects: self.follows_redirects }
    }
}

/// Converts a body. An empty body becomes reqwest's own empty body: a client that follows redirects
/// can resend only that.
fn to_reqwest_body<B>(body: B) -> Body
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    if body.is_end_stream() { Body::default() } else { Body::wrap(SyncBody::new(body)) }
}

pin_project! {
    /// A body that is `Sync`, as reqwest requires and axum's body is not. Its size hint and end are
    /// cached, because they must be available through a shared reference.
    struct SyncBody<B> {
        #[pin]
        inner: SyncWrapper<B>,
        size_hint: SizeHint,
        is_ended: bool,
    }
}

impl<B: http_body::Body> SyncBody<B> {
    fn new(body: B) -> Self {
        let (size_hint, is_ended) = (body.size_hint(), body.is_end_stream());
        Self { inner: SyncWrapper::new(body), size_hint, is_ended }
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
        (*this.size_hint, *this.is_ended) = (body.size_hint(), body.is_end_stream());
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.is_ended
    }

    fn size_hint(&self) -> SizeHint {
        self.size_hint
    }
}

pin_project! {
    /// Response future of [`Client`].
    #[derive(Debug)]
    pub struct ResponseFuture {
        #[pin]
        state: State,
        follows_redirects: bool,
    }
}

pin_project! {
    #[project = StateProj]
    #[derive(Debug)]
    enum State {
        Sent { #[pin] inner: <::reqwest::Client as Service<Request>>::Future },
        // reqwest does not support the URL.
        Rejected { error: Option<::reqwest::Error> },
    }
}

impl Future for ResponseFuture {
    type Output = Result<http::Response<Body>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = match this.state.project() {
            StateProj::Sent { inner } => ready!(inner.poll(cx)),
            StateProj::Rejected { error } => Err(error.take().expect("polled after completion")),
        };
        Poll::Ready(
            result.map(Into::into).map_err(|error| Error::new(error, *this.follows_redirects)),
        )
    }
}
