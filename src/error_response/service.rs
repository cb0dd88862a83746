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

/// A service that turns the errors of the inner service into responses.
///
/// Created by [`ErrorResponseLayer`](super::ErrorResponseLayer).
#[derive(Clone, Debug)]
pub struct ErrorResponse<S> {
    pub(super) inner: S,
    pub(super) settings: Arc<Settings>,
    /// The reply to the next call, set if `poll_ready` failed. Boxed to keep clones of the service
    /// small.
    pub(super) not_ready: Option<Box<ErrorReply>>,
}

impl<S> ErrorResponse<S> {
    /// Sets `error` as the reply to the next call, for an inner service that failed to become
    /// ready.
    pub(crate) fn with_ready_error(mut self, error: &(dyn Error + 'static)) -> Self {
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
