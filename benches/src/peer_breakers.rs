//! Breakers of other crates as services, and the least that a breaker with a lock must cost.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use failsafe::{
    FailurePolicy, StateMachine,
    futures::{CircuitBreaker as _, ResponseFuture},
};
use http::Response;
use pin_project_lite::pin_project;
use recloser::{AnyError, AsyncRecloser, RecloserFuture};
use tower::Service;

pin_project! {
    /// Makes an error of a response that is a failure, since these two know no other.
    #[derive(Debug)]
    pub(crate) struct Fallible<F> {
        #[pin]
        inner: F,
    }
}

/// What has failed.
#[derive(Debug)]
pub(crate) enum Failed<B, E> {
    // Neither is looked at here.
    #[allow(dead_code)]
    Response(Response<B>),
    #[allow(dead_code)]
    Error(E),
}

// Whoever logs an error asks for it.
impl<B, E> fmt::Display for Failed<B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed")
    }
}

impl<B: fmt::Debug, E: fmt::Debug> std::error::Error for Failed<B, E> {}

impl<F, B, E> Future for Fallible<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<B>, Failed<B, E>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.project().inner.poll(cx)).map_err(Failed::Error)?;
        let failed = response.status().is_server_error();
        Poll::Ready(if failed { Err(Failed::Response(response)) } else { Ok(response) })
    }
}

/// failsafe's, around a service.
pub(crate) struct Failsafe<S, P> {
    pub(crate) inner: S,
    pub(crate) breaker: StateMachine<P, ()>,
}

impl<S: Clone, P> Clone for Failsafe<S, P> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), breaker: self.breaker.clone() }
    }
}

impl<S, P, Req, B> Service<Req> for Failsafe<S, P>
where
    S: Service<Req, Response = Response<B>>,
    P: FailurePolicy + Send + Sync,
{
    type Response = Response<B>;
    type Error = failsafe::Error<Failed<B, S::Error>>;
    type Future = ResponseFuture<Fallible<S::Future>, P, (), failsafe::Any>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(|error| failsafe::Error::Inner(Failed::Error(error)))
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        self.breaker.call(Fallible { inner: self.inner.call(request) })
    }
}

/// recloser's, around a service.
#[derive(Clone, Debug)]
pub(crate) struct Recloser<S> {
    pub(crate) inner: S,
    pub(crate) breaker: AsyncRecloser,
}

impl<S, Req, B> Service<Req> for Recloser<S>
where
    S: Service<Req, Response = Response<B>>,
{
    type Response = Response<B>;
    type Error = recloser::Error<Failed<B, S::Error>>;
    type Future = RecloserFuture<Fallible<S::Future>, AnyError>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(|error| recloser::Error::Inner(Failed::Error(error)))
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        self.breaker.call(Fallible { inner: self.inner.call(request) })
    }
}

/// The last 64 results in a word, under a lock: counts, knows no time, never opens.
#[derive(Clone, Debug)]
pub(crate) struct Locked<S> {
    pub(crate) inner: S,
    pub(crate) ring: Arc<Mutex<Ring>>,
}

#[derive(Debug, Default)]
pub(crate) struct Ring {
    failed: u64,
}

pin_project! {
    #[derive(Debug)]
    pub(crate) struct LockedFuture<F> {
        #[pin]
        inner: F,
        ring: Arc<Mutex<Ring>>,
    }
}

impl<S, Req, B> Service<Req> for Locked<S>
where
    S: Service<Req, Response = Response<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = LockedFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        std::hint::black_box(
            self.ring.lock().unwrap_or_else(PoisonError::into_inner).failed.count_ones() > 32,
        );
        LockedFuture { inner: self.inner.call(request), ring: Arc::clone(&self.ring) }
    }
}

impl<F, B, E> Future for LockedFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let outcome = ready!(this.inner.poll(cx));
        let failed = outcome.as_ref().map_or(true, |response| response.status().is_server_error());
        let mut ring = this.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.failed = ring.failed << 1 | u64::from(failed);
        Poll::Ready(outcome)
    }
}
