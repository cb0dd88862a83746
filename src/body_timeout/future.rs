use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::settings::BodyTimeouts;
use crate::time_limit::BodyKind;
use crate::time_limit::TimeoutBody;

pin_project! {
    /// Response future of [`BodyTimeout`](super::BodyTimeout).
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        pub(super) inner: F,
        pub(super) limits: BodyTimeouts,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<TimeoutBody<B>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let limits = *this.limits;
        let response = ready!(this.inner.poll(cx))?;
        Poll::Ready(Ok(response.map(|body| limits.wrap(body, BodyKind::Response))))
    }
}
