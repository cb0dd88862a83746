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

/// A service that retries failed requests. Created by [`RetryLayer`](super::RetryLayer).
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
        let request_deadline = self.adapter.deadline(&request);
        let call_deadline = settings.call_deadline(started, request_deadline);
        if let Some(deadline) = call_deadline.deadline
            && request_deadline.is_some_and(|request_deadline| request_deadline != deadline)
        {
            // The request has a later deadline than the call, which the inner service must not use.
            self.adapter.set_deadline(&mut request, deadline);
        }
        let is_expired = call_deadline.enforced_at().is_some_and(|at| at <= started);
        let mut budget = None;
        if !is_expired {
            budget = settings.budgets.for_uri(self.adapter.uri(&request), started);
            budget.as_deref().unwrap_or_else(|| settings.budgets.shared()).deposit(started);
        }
        let policy = self.adapter.policy_override(&request);
        let max_replay_bytes = policy.as_deref().unwrap_or(&settings.policy).max_replay_bytes;
        let (classifier, adapter) = (self.classifier.clone(), self.adapter.clone());
        // The instance that was polled ready makes the first attempt. Its clone makes the retries.
        let retry_service = Some(self.inner.clone());
        let saved = self.adapter.save(&request);
        let (request, replay_source) = self.adapter.split(request, max_replay_bytes);
        if is_expired {
            // Release the permit that `poll_ready` may have acquired for this call.
            self.inner = self.inner.clone();
        }
        ResponseFuture {
            state: if is_expired {
                State::Expired
            } else {
                State::Attempt { attempt: self.inner.call(request) }
            },
            retry_service,
            saved,
            replay_source,
            classifier,
            adapter,
            settings,
            policy,
            budget,
            started,
            call_deadline,
            deadline_timer: None,
            attempts: 1,
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
