use std::{
    fmt,
    task::{Context, Poll},
};

use seawall_core::{
    BoxError,
    classify::{Classify, HttpClassifier},
};
use tokio::time::Instant;
use tower_service::Service;

use super::{
    CallAdapter, HttpCallAdapter, ResponseFuture, call_adapter::SentRequest, settings::Settings,
    state::State,
};
use crate::sharded_arc::ShardedArc;

/// Service made by [`RetryLayer`](super::RetryLayer).
#[derive(Clone)]
pub struct Retry<S, C = HttpClassifier, P = HttpCallAdapter> {
    pub(super) inner: S,
    pub(super) classifier: C,
    pub(super) adapter: P,
    pub(super) settings: ShardedArc<Settings>,
}

impl<S, C, P, Req> Service<Req> for Retry<S, C, P>
where
    S: Service<SentRequest<P, Req>> + Clone,
    S::Error: Into<BoxError>,
    C: Classify<S::Response> + Clone,
    P: CallAdapter<Req, S::Response> + Clone,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S, C, P, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    #[inline]
    fn call(&mut self, mut request: Req) -> Self::Future {
        let started = Instant::now();
        let settings = self.settings.clone();
        let callers = self.adapter.deadline(&request);
        let deadline = settings.deadline(started, callers);
        if let Some(at) = deadline.at
            && callers.is_some_and(|callers| callers != at)
        {
            // A later deadline of the caller must not reach the inner service.
            self.adapter.set_deadline(&mut request, at);
        }
        let is_late = deadline.enforced().is_some_and(|at| at <= started);
        let mut budget = None;
        if !is_late {
            budget = settings.budgets.keyed(self.adapter.uri(&request), started);
            budget.as_deref().unwrap_or_else(|| settings.budgets.shared()).deposit(started);
        }
        let policy = self.adapter.policy(&request);
        let max_replay_bytes = policy.as_deref().unwrap_or(&settings.policy).max_replay_bytes;
        let (classifier, adapter) = (self.classifier.clone(), self.adapter.clone());
        // The instance that was polled ready makes the first attempt. Its clone is polled before use.
        let next = Some(self.inner.clone());
        let (request, body) = self.adapter.send(request, max_replay_bytes);
        let saved = self.adapter.save(&request);
        if is_late {
            // Another call may use the readiness of this instance.
            self.inner = self.inner.clone();
        }
        ResponseFuture {
            state: if is_late {
                State::Late
            } else {
                State::Attempt { attempt: self.inner.call(request) }
            },
            next,
            saved,
            body,
            classifier,
            adapter,
            settings,
            policy,
            budget,
            started,
            deadline,
            timer: None,
            made: 1,
            history: None,
        }
    }
}

impl<S: fmt::Debug, C, P> fmt::Debug for Retry<S, C, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("inner", &self.inner)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
