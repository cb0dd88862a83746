//! All attempts together: `WithDeadline`, but for the body, which the attempt times already.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::attempt::AttemptBody;
use crate::{BoxError, DeadlineLayer, deadline};

/// Bounds all attempts together.
#[derive(Clone, Debug)]
pub struct Total<S> {
    pub(super) inner: S,
    pub(super) deadline: DeadlineLayer,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Total<S>
where
    S: Service<Request<ReqBody>, Response = Response<AttemptBody<ResBody>>, Error = BoxError>
        + Clone,
    ResBody: Body,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let (limit, is_late) = self.deadline.start(&mut request);
        let inner = if is_late {
            // What it was given to be ready is somebody else's to use.
            self.inner = self.inner.clone();
            None
        } else {
            Some(self.inner.call(request))
        };
        ResponseFuture { inner: deadline::ResponseFuture::new(inner, limit) }
    }
}

pin_project! {
    /// Response future of [`Total`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: deadline::ResponseFuture<F>,
    }
}

impl<F, B> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<AttemptBody<B>>, BoxError>>,
    B: Body,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll_in_place(cx, |response, bounds| {
            response.body_mut().inner_mut().bound(bounds);
        })
    }
}
