//! Minimal implementations of a timeout and a retry, which give a lower bound of the cost.
//!
//! The package `end_to_end` includes this file.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::Request;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};
use tower::{BoxError, Service};

/// A timeout that creates its timer only after the first poll of the response is pending.
///
/// The time before the first poll therefore does not count.
#[derive(Clone, Debug)]
pub(crate) struct MinimalTimeout<S> {
    pub(crate) inner: S,
    pub(crate) timeout: Duration,
}

pin_project! {
    #[derive(Debug)]
    pub(crate) struct MinimalTimeoutFuture<F> {
        #[pin]
        inner: F,
        #[pin]
        timer: Option<Sleep>,
        timeout: Duration,
    }
}

impl<S, Req> Service<Req> for MinimalTimeout<S>
where
    S: Service<Req, Error: Into<BoxError>>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = MinimalTimeoutFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        MinimalTimeoutFuture { inner: self.inner.call(request), timer: None, timeout: self.timeout }
    }
}

impl<T, E, F> Future for MinimalTimeoutFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: Into<BoxError>,
{
    type Output = Result<T, BoxError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Poll::Ready(outcome) = this.inner.poll(cx) {
            return Poll::Ready(outcome.map_err(Into::into));
        }
        if this.timer.is_none() {
            this.timer.set(Some(sleep(*this.timeout)));
        }
        ready!(this.timer.as_pin_mut().expect("the timer exists").poll(cx));
        Poll::Ready(Err("timed out".into()))
    }
}

/// A retry that never retries. It keeps a copy of the request until the response is ready.
#[derive(Clone, Debug)]
pub(crate) struct MinimalRetry<S> {
    pub(crate) inner: S,
}

pin_project! {
    #[derive(Debug)]
    pub(crate) struct MinimalRetryFuture<F, B> {
        #[pin]
        inner: F,
        copy: Option<Request<B>>,
    }
}

impl<S, B> Service<Request<B>> for MinimalRetry<S>
where
    S: Service<Request<B>>,
    B: Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = MinimalRetryFuture<S::Future, B>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let copy = Some(request.clone());
        MinimalRetryFuture { inner: self.inner.call(request), copy }
    }
}

impl<F: Future, B> Future for MinimalRetryFuture<F, B> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let outcome = ready!(this.inner.poll(cx));
        std::hint::black_box(&*this.copy);
        Poll::Ready(outcome)
    }
}
