use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{
    ResponseFuture,
    settings::{BodyTimeouts, RequestDirection, ResponseDirection},
};
use crate::time_limit::{BodyKind, TimeoutBody};

/// A service that limits the waits in bodies.
///
/// Created by [`BodyTimeoutLayer`](super::BodyTimeoutLayer).
#[derive(Clone, Debug)]
pub struct BodyTimeout<S, Direction = ResponseDirection> {
    pub(super) inner: S,
    pub(super) limits: BodyTimeouts,
    #[allow(dead_code, reason = "only its type is used")]
    pub(super) direction: Direction,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for BodyTimeout<S, ResponseDirection>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body,
{
    type Response = Response<TimeoutBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        ResponseFuture { inner: self.inner.call(request), limits: self.limits }
    }
}

impl<S, B> Service<Request<B>> for BodyTimeout<S, RequestDirection>
where
    S: Service<Request<TimeoutBody<B>>>,
    B: Body,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let limits = self.limits;
        self.inner.call(request.map(|body| limits.wrap(body, BodyKind::Request)))
    }
}
