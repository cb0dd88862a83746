//! [`reqwest::Client`] as a service of [`http`] types, so that layers go around it.
//!
//! reqwest's own service takes a type of request that no HTTP layer can look into.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! use http_body_util::Empty;
//! use seawall::RetryLayer;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! let client = ServiceBuilder::new()
//!     .layer(RetryLayer::new())
//!     .service(seawall::reqwest::Client::new(reqwest::Client::new()));
//!
//! let request = http::Request::get("http://127.0.0.1:8080/").body(Empty::<bytes::Bytes>::new())?;
//! let response = client.oneshot(request).await?;
//! # let _ = response;
//! # Ok(())
//! # }
//! ```

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::reqwest::{Body, Request};
use bytes::Bytes;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::BoxError;

/// A [`reqwest::Client`] as a service. Clones share its pool of connections.
///
/// reqwest repeats some requests by itself (those that an HTTP/2 server refused unprocessed, unless built with
/// `retry(reqwest::retry::never())`); it follows redirects as it was built to.
#[derive(Clone, Debug)]
pub struct Client {
    inner: ::reqwest::Client,
}

impl Client {
    /// Wraps a client, as it was built.
    #[must_use]
    pub const fn new(inner: ::reqwest::Client) -> Self {
        Self { inner }
    }
}

impl<B> Service<http::Request<B>> for Client
where
    B: http_body::Body<Data = Bytes> + Send + Sync + 'static,
    B::Error: Into<BoxError>,
{
    type Response = http::Response<Body>;
    type Error = ::reqwest::Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // As reqwest's own: it has no limit to be ready for.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let state = match Request::try_from(request.map(Body::wrap)) {
            Ok(request) => State::Sent { inner: Service::call(&mut self.inner, request) },
            Err(error) => State::Refused { error: Some(error) },
        };
        ResponseFuture { state }
    }
}

pin_project! {
    /// Response future of [`Client`].
    #[derive(Debug)]
    pub struct ResponseFuture {
        #[pin]
        state: State,
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
    type Output = Result<http::Response<Body>, ::reqwest::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match self.project().state.project() {
            StateProj::Sent { inner } => ready!(inner.poll(cx)).map(Into::into),
            StateProj::Refused { error } => Err(error.take().expect("polled after completion")),
        })
    }
}
