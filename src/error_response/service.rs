use std::{
    convert::Infallible,
    error::Error,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use seawall_core::BoxError;
use tower_service::Service;

use super::{
    ResponseBody, ResponseFuture, reply::ErrorReply, request_info::RequestInfo, settings::Settings,
};

/// Service made by [`ErrorResponseLayer`](super::ErrorResponseLayer).
#[derive(Clone, Debug)]
pub struct ErrorResponse<S> {
    pub(super) inner: S,
    pub(super) settings: Arc<Settings>,
    /// The response to the next call, because `poll_ready` failed. Boxed, since a service is cloned often.
    pub(super) not_ready: Option<Box<ErrorReply>>,
}

impl<S> ErrorResponse<S> {
    /// Responds to the next call with `error`, since the inner service is not ready for it.
    pub(crate) fn failing(mut self, error: &(dyn Error + 'static)) -> Self {
        self.not_ready = Some(Box::new(ErrorReply::new(error, &self.settings)));
        self
    }
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

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.not_ready = match ready!(self.inner.poll_ready(cx)) {
            Ok(()) => None,
            Err(error) => Some(Box::new(ErrorReply::new(&*error.into(), &self.settings))),
        };
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (settings, info) = (Arc::clone(&self.settings), RequestInfo::new(&request));
        match self.not_ready.take() {
            Some(reply) => ResponseFuture::not_ready(settings, info, reply),
            None => ResponseFuture::new(settings, info, self.inner.call(request)),
        }
    }
}
