//! The layer around all routes of the server.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use axum::body::Body;
use futures_util::future::{Either, Ready, ready};
use http::{Request, Response};
use http_body_util::Either as EitherBody;
use tower::{Layer, Service};

use super::{client_address, message};

/// Refuses requests that are malformed or not for a gateway, before the router sees them.
///
/// After it, each request of HTTP/1.1 and HTTP/2 has exactly one valid `Host`. The layer is outside
/// of the access log, so it logs refused requests itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValidateLayer;

impl<S> Layer<S> for ValidateLayer {
    type Service = Validate<S>;

    fn layer(&self, inner: S) -> Validate<S> {
        Validate { inner }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Validate<S> {
    inner: S,
}

impl<S, B> Service<Request<Body>> for Validate<S>
where
    S: Service<Request<Body>, Response = Response<EitherBody<B, Body>>, Error = Infallible>,
{
    type Response = S::Response;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<S::Response, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        match message::validate(&mut request) {
            Ok(()) => Either::Left(self.inner.call(request)),
            Err(refusal) => {
                refusal.log(client_address::peer_address(request.extensions()));
                let response = refusal.into_response().map(EitherBody::Right);
                Either::Right(ready(Ok(response)))
            }
        }
    }
}
