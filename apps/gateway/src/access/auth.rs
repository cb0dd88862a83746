//! Access to the services: the layer in front of each.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{Request, Response},
};
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
pub(crate) struct AuthLayer(pub(super) Admission);

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth { inner, admission: self.0.clone() }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Auth<S> {
    inner: S,
    admission: Admission,
}

impl<S> Service<Request<Body>> for Auth<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError, Future: Send + 'static>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.admission.admit(request) {
            Ok(request) => Box::pin(self.inner.call(request)),
            Err(Denied::Refused(problem)) => {
                Box::pin(async move { Ok(problem.into_proxy_response()) })
            }
            Err(Denied::RateLimited(wait)) => {
                Box::pin(async move { Err(RateLimitExceeded::new(wait).into()) })
            }
        }
    }
}
