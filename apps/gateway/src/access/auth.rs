//! Access to the services: the layer in front of each.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{Request, Response},
};
use futures_util::future::{Either, Ready, ready};
use seawall::BoxError;
use tower::{Layer, Service};

use super::{
    admission::{Admission, Denied},
    rate_limit_exceeded::RateLimitExceeded,
};

/// Admits the clients of a service, applies the rate limit of each, and removes the tokens of the
/// gateway from their requests.
///
/// # Clone
///
/// Clones share the rate limiter and the counts of wrong tokens.
#[derive(Clone, Debug)]
pub(crate) struct AuthLayer(pub(super) Arc<Admission>);

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth { inner, admission: Arc::clone(&self.0) }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Auth<S> {
    inner: S,
    admission: Arc<Admission>,
}

impl<S> Service<Request<Body>> for Auth<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Either<S::Future, Ready<Result<Response<Body>, BoxError>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.admission.admit(request) {
            Ok(request) => Either::Left(self.inner.call(request)),
            Err(Denied::Refused(problem)) => {
                Either::Right(ready(Ok(problem.into_proxy_response())))
            }
            Err(Denied::RateLimited(wait)) => {
                Either::Right(ready(Err(RateLimitExceeded::new(wait).into())))
            }
        }
    }
}
