//! One call: what stands around the retry, as one service.
//!
//! It does what `Logging` and `WithDeadline` do one inside the other, by their own parts, for the reason that an attempt is one
//! service.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::attempt::AttemptBody;
use crate::{
    BoxError, Classify, DeadlineLayer, deadline, logging, logging::Logging, poll_into::PollInto,
    retry::BeginAt,
};

/// Logs a call, and bounds all its attempts together.
#[derive(Clone, Debug)]
pub struct Call<S, C> {
    pub(super) inner: S,
    pub(super) log: Logging<(), C>,
    pub(super) deadline: DeadlineLayer,
}

impl<S, C, ReqBody, ResBody> Service<Request<ReqBody>> for Call<S, C>
where
    S: Service<Request<ReqBody>, Response = Response<AttemptBody<ResBody>>, Error = BoxError>
        + BeginAt
        + Clone,
    S::Future: PollInto<Output = Result<Response<AttemptBody<ResBody>>, BoxError>>,
    C: Classify<Response<AttemptBody<ResBody>>> + Clone,
    ResBody: Body,
    ResBody::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future, C>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "out of line, request and future are moved once more")]
    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let mut slot = self.log.begin(&request);
        let inner = {
            let _entered = slot.enter();
            let (limit, is_late) = self.deadline.start(&mut request);
            let inner = if is_late {
                // What it was given to be ready is somebody else's to use.
                self.inner = self.inner.clone();
                None
            } else {
                if let Some(limit) = limit {
                    self.inner.begin_at(limit.started);
                }
                Some(self.inner.call(request))
            };
            deadline::ResponseFuture::new(inner, limit)
        };
        slot.left();
        let classifier = self.log.classifier();
        ResponseFuture { inner: logging::ResponseFuture::new(inner, slot, classifier) }
    }
}

pin_project! {
    /// Response future of [`Call`].
    #[derive(Debug)]
    pub struct ResponseFuture<F, C> {
        #[pin]
        inner: logging::ResponseFuture<deadline::ResponseFuture<F>, C, logging::Known>,
    }
}

impl<F, C, B> Future for ResponseFuture<F, C>
where
    F: PollInto<Output = Result<Response<AttemptBody<B>>, BoxError>>,
    C: Classify<Response<AttemptBody<B>>>,
    B: Body,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<AttemptBody<B>>, BoxError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut polled = Poll::Pending;
        self.project().inner.poll_into(&mut polled, |inner, polled| {
            inner.poll_into(cx, polled, |response, bounds| {
                response.body_mut().inner_mut().inner_mut().bound(bounds);
            });
        });
        polled
    }
}
