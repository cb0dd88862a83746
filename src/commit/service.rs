use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Body;
use seawall_core::BoxError;
use tower_service::Service;

use super::{CommitBody, Judge, ResponseFuture, settings::Settings};

/// A service that holds a response back until a judge commits it.
///
/// Created by [`CommitLayer`](super::CommitLayer).
#[derive(Clone, Debug)]
pub struct Commit<S, J> {
    pub(super) inner: S,
    pub(super) judge: J,
    pub(super) settings: Settings,
}

impl<S, J, ReqBody, B> Service<Request<ReqBody>> for Commit<S, J>
where
    S: Service<Request<ReqBody>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    J: Judge + Clone,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Response = Response<CommitBody<B>>;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future, J, B>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    #[inline]
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        // The response to HEAD has the head of a stream, and no body.
        let judge = (request.method() != Method::HEAD).then(|| self.judge.clone());
        ResponseFuture::new(self.inner.call(request), judge, self.settings)
    }
}
