use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{ResponseBody, ResponseFuture, answer::Answer, asked::Asked, settings::Settings};
use crate::BoxError;

/// Service made by [`ErrorResponseLayer`](super::ErrorResponseLayer).
#[derive(Clone, Debug)]
pub struct ErrorResponse<S> {
    pub(super) inner: S,
    pub(super) settings: Arc<Settings>,
    /// What to answer the next call, because `poll_ready` failed. Boxed, since a service is cloned often.
    pub(super) not_ready: Option<Box<Answer>>,
}

#[cfg(feature = "config")]
impl<S> ErrorResponse<S> {
    /// Answers the next call so, since what is inside is not ready for it.
    pub(crate) fn failing(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        self.not_ready = Some(Box::new(Answer::to(error, &self.settings)));
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
        let ready = ready!(self.inner.poll_ready(cx));
        if ready.is_err() || self.not_ready.is_some() {
            let answer = |error: S::Error| Answer::to(&*error.into(), &self.settings);
            self.not_ready = ready.err().map(|error| Box::new(answer(error)));
        }
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let asked = Asked::of(&request);
        if self.not_ready.is_some() {
            return self.answer_not_ready(asked);
        }
        ResponseFuture::new(Arc::clone(&self.settings), asked, self.inner.call(request))
    }
}

impl<S> ErrorResponse<S> {
    #[cold]
    fn answer_not_ready<F>(&mut self, asked: Asked) -> ResponseFuture<F> {
        let answer = self.not_ready.take().expect("asked before");
        ResponseFuture::not_ready(Arc::clone(&self.settings), asked, answer)
    }
}
