//! The least code that does a layer's job, to tell what a layer adds to what the job must cost.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::{Method, Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep};
use tower::{BoxError, Service};

/// A timeout: polls the response first and makes its timer only when that is pending. The clock is read only then, so
/// the time that the first poll takes is not counted.
#[derive(Clone, Debug)]
pub(crate) struct LazySleep<S> {
    pub(crate) inner: S,
    pub(crate) limit: Duration,
}

pin_project! {
    #[derive(Debug)]
    pub(crate) struct LazySleepFuture<F> {
        #[pin]
        inner: F,
        #[pin]
        timer: Option<Sleep>,
        limit: Duration,
    }
}

impl<S, Req> Service<Req> for LazySleep<S>
where
    S: Service<Req, Error = Infallible>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = LazySleepFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        LazySleepFuture { inner: self.inner.call(request), timer: None, limit: self.limit }
    }
}

impl<T, F> Future for LazySleepFuture<F>
where
    F: Future<Output = Result<T, Infallible>>,
{
    type Output = Result<T, BoxError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Poll::Ready(outcome) = this.inner.poll(cx) {
            return Poll::Ready(outcome.map_err(Into::into));
        }
        if this.timer.is_none() {
            this.timer.set(Some(sleep(*this.limit)));
        }
        ready!(this.timer.as_pin_mut().expect("just made").poll(cx));
        Poll::Ready(Err("too late".into()))
    }
}

/// A retry that never retries: keeps a copy of the request until the response is there.
#[derive(Clone, Debug)]
pub(crate) struct KeepRequest<S> {
    pub(crate) inner: S,
}

pin_project! {
    #[derive(Debug)]
    pub(crate) struct KeepRequestFuture<F, B> {
        #[pin]
        inner: F,
        kept: Option<Request<B>>,
    }
}

impl<S, B> Service<Request<B>> for KeepRequest<S>
where
    S: Service<Request<B>>,
    B: Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = KeepRequestFuture<S::Future, B>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let kept = Some(request.clone());
        KeepRequestFuture { inner: self.inner.call(request), kept }
    }
}

impl<F: Future, B> Future for KeepRequestFuture<F, B> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let outcome = ready!(this.inner.poll(cx));
        std::hint::black_box(&*this.kept);
        Poll::Ready(outcome)
    }
}

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
