use std::{
    fmt,
    marker::PhantomData,
    task::{Context, Poll},
    time::Duration,
};

use seawall_core::BoxError;
use tower_service::Service;

use super::{
    ResponseFuture,
    future::State,
    limit::Permit,
    selector::{LimitSelector, SharedLimit, acquire},
};
use crate::body::{CompleteOnBodyEnd, PanicGuard, TrackCompletion};

/// A service that rejects calls beyond a limit of calls in flight. Created by
/// [`InFlightLimitLayer`](super::InFlightLimitLayer).
///
/// The inner service must be `Clone`. If a call is rejected after the inner service was ready for
/// it, a clone replaces that instance. This releases resources that it reserved, such as the permit
/// of a concurrency limit.
pub struct InFlightLimit<S, K = SharedLimit, Completion = CompleteOnBodyEnd> {
    pub(super) inner: S,
    pub(super) selector: K,
    pub(super) unread_timeout: Duration,
    pub(super) completion: PhantomData<fn() -> Completion>,
}

impl<S, K, Completion, Req> Service<Req> for InFlightLimit<S, K, Completion>
where
    S: Service<Req> + Clone,
    S::Error: Into<BoxError>,
    K: LimitSelector<Req>,
    Completion: TrackCompletion<S::Response>,
{
    type Response = Completion::Response<Permit>;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future, Completion>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let permit = match acquire(&self.selector, &request, self.unread_timeout) {
            Ok(permit) => permit,
            Err(error) => {
                self.inner = self.inner.clone();
                let state = State::Rejected { error: Some(error) };
                return ResponseFuture {
                    state,
                    guard: PanicGuard::new(None),
                    completion: PhantomData,
                };
            }
        };
        let state = State::Call { inner: self.inner.call(request) };
        ResponseFuture { state, guard: PanicGuard::new(permit), completion: PhantomData }
    }
}

impl<S: Clone, K: Clone, Completion> Clone for InFlightLimit<S, K, Completion> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            selector: self.selector.clone(),
            unread_timeout: self.unread_timeout,
            completion: PhantomData,
        }
    }
}

impl<S: fmt::Debug, K: fmt::Debug, Completion> fmt::Debug for InFlightLimit<S, K, Completion> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFlightLimit")
            .field("inner", &self.inner)
            .field("selector", &self.selector)
            .finish_non_exhaustive()
    }
}
