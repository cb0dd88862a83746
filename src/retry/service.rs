use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::time::Instant;
use tower_service::Service;

use super::{
    Budget, Http, Protocol, ResponseFuture, future::State, policy::Policy, protocol::Sent,
};
use crate::{BoxError, Classify, HttpClassifier, keys::Last};

/// Service made by [`RetryLayer`](super::RetryLayer).
#[derive(Clone)]
pub struct Retry<S, C = HttpClassifier, P = Http> {
    pub(super) inner: S,
    pub(super) classifier: C,
    pub(super) protocol: P,
    pub(super) policy: Arc<Policy>,
    pub(super) last: Last<Budget>,
    /// When the next call began, if that is known.
    pub(super) begun: Option<Instant>,
}

/// A service that is told when its next call began, so that the clock is read once for it.
#[cfg(feature = "standard")]
pub(crate) trait BeginAt {
    fn begin_at(&mut self, at: Instant);
}

#[cfg(feature = "standard")]
impl<S, C, P> BeginAt for Retry<S, C, P> {
    #[inline]
    fn begin_at(&mut self, at: Instant) {
        self.begun = Some(at);
    }
}

impl<S, C, P, Req> Service<Req> for Retry<S, C, P>
where
    S: Service<Sent<P, Req>> + Clone,
    S::Error: Into<BoxError>,
    C: Classify<S::Response> + Clone,
    P: Protocol<Req, S::Response> + Clone,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S, C, P, Req>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "out of line, request and future are moved once more")]
    fn call(&mut self, request: Req) -> Self::Future {
        let started = self.begun.take().unwrap_or_else(Instant::now);
        let budgets = &self.policy.budgets;
        let mut budget = budgets.keyed(&mut self.last, self.protocol.uri(&request), started);
        budget.as_ref().unwrap_or_else(|| budgets.shared()).deposit(started);
        let policy = match self.protocol.policy(&request) {
            None => Arc::clone(&self.policy),
            Some(policy) => {
                budget = budget.or_else(|| Some(Arc::clone(budgets.shared())));
                policy.instead_of(&self.policy)
            }
        };
        let saved = self.protocol.keep(&request);
        let (request, body) = self.protocol.send(request, policy.body_limit);
        // The instance that was polled ready makes the first attempt; its clone was not, and is polled before use.
        let next = Some(self.inner.clone());
        ResponseFuture {
            state: State::Attempt { attempt: self.inner.call(request) },
            next,
            saved,
            body,
            classifier: self.classifier.clone(),
            protocol: self.protocol.clone(),
            policy,
            budget,
            started,
            made: 1,
            history: None,
        }
    }
}

impl<S: fmt::Debug, C, P> fmt::Debug for Retry<S, C, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("inner", &self.inner)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
