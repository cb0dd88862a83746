//! Breakers of other crates as services, and a minimal breaker with a lock.

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
    /// Converts a failed response to an error, because failsafe and recloser count only errors.
    #[derive(Debug)]
    pub(crate) struct FailedResponseAsError<F> {
        #[pin]
        inner: F,
    }
}

/// A failed response or an error.
#[derive(Debug)]
pub(crate) enum Failure<B, E> {
    // The benchmark never reads the response or the error.
    #[allow(dead_code)]
    Response(Response<B>),
    #[allow(dead_code)]
    Error(E),
}

// Layers that log errors require `Display`.
impl<B, E> fmt::Display for Failure<B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed")
    }
}

impl<B: fmt::Debug, E: fmt::Debug> std::error::Error for Failure<B, E> {}

impl<F, B, E> Future for FailedResponseAsError<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<B>, Failure<B, E>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.project().inner.poll(cx)).map_err(Failure::Error)?;
        let failed = response.status().is_server_error();
        Poll::Ready(if failed { Err(Failure::Response(response)) } else { Ok(response) })
    }
}

/// A service inside failsafe's breaker.
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
    type Error = failsafe::Error<Failure<B, S::Error>>;
    type Future = ResponseFuture<FailedResponseAsError<S::Future>, P, (), failsafe::Any>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(|error| failsafe::Error::Inner(Failure::Error(error)))
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        self.breaker.call(FailedResponseAsError { inner: self.inner.call(request) })
    }
}

/// A service inside recloser's breaker.
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
    type Error = recloser::Error<Failure<B, S::Error>>;
    type Future = RecloserFuture<FailedResponseAsError<S::Future>, AnyError>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(|error| recloser::Error::Inner(Failure::Error(error)))
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        self.breaker.call(FailedResponseAsError { inner: self.inner.call(request) })
    }
}

/// A minimal breaker that records the last 64 results as bits under a lock.
///
/// It has no time window and never opens.
#[derive(Clone, Debug)]
pub(crate) struct MinimalBreaker<S> {
    pub(crate) inner: S,
    pub(crate) window: Arc<Mutex<Window>>,
}

#[derive(Debug, Default)]
pub(crate) struct Window {
    failed: u64,
}

pin_project! {
    #[derive(Debug)]
    pub(crate) struct MinimalBreakerFuture<F> {
        #[pin]
        inner: F,
        window: Arc<Mutex<Window>>,
    }
}

impl<S, Req, B> Service<Req> for MinimalBreaker<S>
where
    S: Service<Req, Response = Response<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = MinimalBreakerFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        std::hint::black_box(
            self.window.lock().unwrap_or_else(PoisonError::into_inner).failed.count_ones() > 32,
        );
        MinimalBreakerFuture { inner: self.inner.call(request), window: Arc::clone(&self.window) }
    }
}

impl<F, B, E> Future for MinimalBreakerFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let outcome = ready!(this.inner.poll(cx));
        let failed = outcome.as_ref().map_or(true, |response| response.status().is_server_error());
        let mut window = this.window.lock().unwrap_or_else(PoisonError::into_inner);
        window.failed = window.failed << 1 | u64::from(failed);
        Poll::Ready(outcome)
    }
}
