use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{ResponseBody, ResponseFuture};
use crate::{BoxError, Failure, classify::classify_error};

/// Service made by [`ErrorResponseLayer`](super::ErrorResponseLayer).
#[derive(Clone, Debug)]
pub struct ErrorResponse<S> {
    pub(super) inner: S,
    pub(super) name: Arc<str>,
    /// What `poll_ready` failed with, to be the answer to the next call.
    pub(super) not_ready: Option<Failure>,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for ErrorResponse<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
    ResBody: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = Infallible;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx).map(|ready| {
            self.not_ready = ready.err().map(|error| classify_error(&*error.into()));
            Ok(())
        })
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let with_body = request.method() != Method::HEAD;
        let name = Arc::clone(&self.name);
        match self.not_ready.take() {
            Some(failure) => ResponseFuture::failed(name, with_body, failure),
            None => ResponseFuture::new(name, with_body, self.inner.call(request)),
        }
    }
}
