//! A minimal implementation of a log.

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

/// A log that never emits an event. It keeps fields of the request until the end of the response
/// body.
///
/// It supports neither panics nor cancellation nor spans.
#[derive(Clone, Debug)]
pub(crate) struct MinimalLog<S> {
    pub(crate) inner: S,
}

#[derive(Debug)]
struct LogFields {
    _method: Method,
    _uri: Uri,
    _started: Instant,
}

pin_project! {
    #[derive(Debug)]
    pub(crate) struct MinimalLogFuture<F> {
        #[pin]
        inner: F,
        fields: Option<LogFields>,
    }
}

pin_project! {
    #[derive(Debug)]
    pub(crate) struct MinimalLogBody<B> {
        #[pin]
        inner: B,
        fields: Option<LogFields>,
    }
}

impl<S, B, R> Service<Request<B>> for MinimalLog<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
{
    type Response = Response<MinimalLogBody<R>>;
    type Error = S::Error;
    type Future = MinimalLogFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let fields = LogFields {
            _method: request.method().clone(),
            _uri: request.uri().clone(),
            _started: Instant::now(),
        };
        MinimalLogFuture { inner: self.inner.call(request), fields: Some(fields) }
    }
}

impl<F, R, E> Future for MinimalLogFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<MinimalLogBody<R>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        let fields = this.fields.take();
        Poll::Ready(Ok(response.map(|inner| MinimalLogBody { inner, fields })))
    }
}

impl<B: Body> Body for MinimalLogBody<B> {
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
            *this.fields = None;
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
