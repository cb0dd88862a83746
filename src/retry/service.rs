use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::Uri;
use tokio::time::Instant;
use tower_service::Service;

use super::{
    Budget, Http, Protocol, ResponseFuture, future::State, policy::Policy, protocol::Sent,
};
#[cfg(feature = "standard")]
use super::{Convert, Override, replay::Replay};
use crate::{BoxError, Classify, HttpClassifier, keys::Last};

/// Service made by [`RetryLayer`](super::RetryLayer).
#[derive(Clone)]
pub struct Retry<S, C = HttpClassifier, P = Http> {
    pub(super) inner: S,
    pub(super) classifier: C,
    pub(super) protocol: P,
    pub(super) policy: Arc<Policy>,
    pub(super) last: Last<Budget>,
}

/// What a call needs besides its first attempt, found out before that is made: behind it nothing may fail any more, so that
/// what is made of it need not be moved.
pub(crate) struct Begun<S, C, P> {
    next: S,
    classifier: C,
    protocol: P,
    policy: Arc<Policy>,
    budget: Option<Arc<Budget>>,
    started: Instant,
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
        let uri = self.protocol.uri(&request);
        let policy = self.protocol.policy(&request);
        let begun = self.begin(uri, false, policy, Instant::now());
        let saved = self.protocol.keep(&request);
        let (request, body) = self.protocol.send(request, begun.policy.body_limit);
        begun.with(saved, body, self.inner.call(request))
    }
}

impl<S: Clone, C: Clone, P: Clone> Retry<S, C, P> {
    /// Counts a call. `is_last`: whether its key is known to be the last; `policy`: one that it brings along.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "out of line, what it returns is copied once more")]
    fn begin(
        &mut self,
        uri: Option<&Uri>,
        is_last: bool,
        policy: Option<Arc<Policy>>,
        started: Instant,
    ) -> Begun<S, C, P> {
        let budgets = &self.policy.budgets;
        let mut budget = budgets.keyed(&mut self.last, is_last, uri, started);
        budget.as_ref().unwrap_or_else(|| budgets.shared()).deposit(started);
        let policy = match policy {
            None => Arc::clone(&self.policy),
            Some(policy) => {
                budget = budget.or_else(|| Some(Arc::clone(budgets.shared())));
                policy.instead_of(&self.policy)
            }
        };
        Begun {
            // The instance that was polled ready makes the first attempt; its clone was not, and is polled before use.
            next: self.inner.clone(),
            classifier: self.classifier.clone(),
            protocol: self.protocol.clone(),
            policy,
            budget,
            started,
        }
    }
}

#[cfg(feature = "standard")]
impl<S: Clone, C: Clone, F: Clone> Retry<S, C, Http<F>> {
    /// What [`call`](Service::call) does before the first attempt is made, for a caller that makes it: by the head alone,
    /// so that this is moved into the request of that attempt and nowhere else.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "out of line, what it returns is copied once more")]
    pub(crate) fn begin_at(
        &mut self,
        head: &http::Request<()>,
        is_last: bool,
        started: Instant,
    ) -> Begun<S, C, Http<F>> {
        self.begin(Some(head.uri()), is_last, Override::of(head.extensions()), started)
    }

    /// What makes the first attempt.
    #[inline]
    pub(crate) const fn first(&mut self) -> &mut S {
        &mut self.inner
    }

    #[inline]
    pub(crate) const fn inner(&self) -> &S {
        &self.inner
    }

    /// The key of the last budget, if each request spelled like it has that one.
    #[inline]
    pub(crate) fn plain_key(&self) -> Option<&str> {
        Some(self.last.key()).filter(|key| self.policy.budgets.is_plain(key))
    }
}

#[cfg(feature = "standard")]
impl<S, C, F> Begun<S, C, Http<F>> {
    /// The body of the first attempt, and what is kept of it.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `ReplayBody::new`")]
    pub(crate) fn body<B: http_body::Body>(&self, body: B) -> (F::Body, Replay<B>)
    where
        F: Convert<B>,
    {
        self.protocol.body(body, self.policy.body_limit)
    }
}

impl<S, C, P> Begun<S, C, P> {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "out of line, the future is moved once more")]
    pub(crate) fn with<Req>(
        self,
        saved: P::Saved,
        body: P::Body,
        attempt: S::Future,
    ) -> ResponseFuture<S, C, P, Req>
    where
        S: Service<Sent<P, Req>>,
        P: Protocol<Req, S::Response>,
    {
        let Self { next, classifier, protocol, policy, budget, started } = self;
        ResponseFuture {
            state: State::Attempt { attempt },
            next: Some(next),
            saved,
            body,
            classifier,
            protocol,
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
