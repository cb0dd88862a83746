//! Services for the programs in `cases/`.

use std::{
    future::{Ready, ready},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use seawall::BoxError;
use tower::Service;

pub type Body = Full<Bytes>;

/// Requires a service for requests of type `Req`.
pub fn check<Req>(_: impl Service<Req>) {}

/// Requires a future that a task accepts, like `tokio::spawn`.
pub fn spawn<F: Future + Send + 'static>(_: F) {}

/// Returns a client with a fixed body type.
#[must_use]
pub fn client_of_empty_bodies() -> Client<HttpConnector, Empty<Bytes>> {
    Client::builder(TokioExecutor::new()).build_http()
}

/// A client that cannot be cloned.
#[derive(Debug)]
pub struct NotClone;

/// A service that is not HTTP.
#[derive(Clone, Debug)]
pub struct Echo;

impl<B> Service<Request<B>> for NotClone {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Ready<Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Request<B>) -> Self::Future {
        ready(Ok(Response::default()))
    }
}

impl Service<String> for Echo {
    type Response = String;
    type Error = BoxError;
    type Future = Ready<Result<String, BoxError>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, text: String) -> Self::Future {
        ready(Ok(text))
    }
}
