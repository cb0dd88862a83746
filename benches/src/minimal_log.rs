//! The least that a log needs.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Method, Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower::Service;

/// A log of failures that none is written to: keeps of a request what its line would say, from the call to the end of the
/// response's body. No panic, no hang-up and no span is noticed, and future and body hold all of it.
#[derive(Clone, Debug)]
pub(crate) struct KeepForLog<S> {
    pub(crate) inner: S,
}

#[derive(Debug)]
struct Kept {
    _method: Method,
    _uri: Uri,
    _started: Instant,
}

pin_project! {
    #[derive(Debug)]
    pub(crate) struct KeepForLogFuture<F> {
        #[pin]
        inner: F,
        kept: Option<Kept>,
    }
}

pin_project! {
    #[derive(Debug)]
    pub(crate) struct KeepForLogBody<B> {
        #[pin]
        inner: B,
        kept: Option<Kept>,
    }
}

impl<S, B, R> Service<Request<B>> for KeepForLog<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
{
    type Response = Response<KeepForLogBody<R>>;
    type Error = S::Error;
    type Future = KeepForLogFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let kept = Kept {
            _method: request.method().clone(),
            _uri: request.uri().clone(),
            _started: Instant::now(),
        };
        KeepForLogFuture { inner: self.inner.call(request), kept: Some(kept) }
    }
}

impl<F, R, E> Future for KeepForLogFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<KeepForLogBody<R>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        let kept = this.kept.take();
        Poll::Ready(Ok(response.map(|inner| KeepForLogBody { inner, kept })))
    }
}

impl<B: Body> Body for KeepForLogBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let polled = this.inner.as_mut().poll_frame(cx);
        if this.inner.is_end_stream() {
            *this.kept = None;
        }
        polled
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
