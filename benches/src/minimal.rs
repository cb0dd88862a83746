//! The least code that does a layer's job, to tell what a layer adds to what the job must cost: that of a timeout and of a
//! retry, for `end_to_end` as well.

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
    S: Service<Req, Error: Into<BoxError>>,
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

impl<T, E, F> Future for LazySleepFuture<F>
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
