use std::{
    fmt,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use seawall_core::{
    BoxError,
    classify::Classify,
    elapsed::{Elapsed, TimeoutKind},
};
use tokio::{
    task::coop::unconstrained,
    time::{Instant, Sleep, sleep},
};
use tower_service::Service;

use super::{
    AttemptNumber, Budget, CallAdapter,
    call_adapter::{NextBody, SentRequest, nonzero_attempts},
    policy::Policy,
    settings::{CallDeadline, Settings},
    state::{Classification, History, State, StateProj},
};
use crate::{sharded_arc::ShardedArc, time_limit::poll_at};

pin_project! {
    /// Response future of [`Retry`](super::Retry).
    pub struct ResponseFuture<S, C, P, Req>
    where
        S: Service<SentRequest<P, Req>>,
        P: CallAdapter<Req, S::Response>,
    {
        #[pin]
        pub(super) state: State<S::Future, P::Discard, NextBody<P, Req>>,
        // The service for retries. `None` once there will be no other attempt.
        pub(super) retry_service: Option<S>,
        pub(super) saved: P::Saved,
        pub(super) replay_source: P::ReplaySource,
        pub(super) classifier: C,
        pub(super) adapter: P,
        pub(super) settings: ShardedArc<Settings>,
        // Overrides the policy of `settings` for this request.
        pub(super) policy: Option<Arc<Policy>>,
        // The budget of the request's key. `None` selects the shared budget of `settings`.
        pub(super) budget: Option<ShardedArc<Budget>>,
        pub(super) started: Instant,
        pub(super) call_deadline: CallDeadline,
        // Created by the first pending poll.
        #[pin]
        pub(super) deadline_timer: Option<Sleep>,
        // The number of attempts so far.
        pub(super) attempts: u32,
        // Created by the first failure. Boxed because most calls have none.
        pub(super) history: Option<Box<History>>,
    }

    impl<S, C, P, Req> PinnedDrop for ResponseFuture<S, C, P, Req>
    where
        S: Service<SentRequest<P, Req>>,
        P: CallAdapter<Req, S::Response>,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            let is_done = matches!(this.state.project(), StateProj::Done);
            // A subscriber that panics during a panic would abort the process.
            if this.history.is_some() && !is_done && !std::thread::panicking() {
                tracing::debug!(
                    name: "cancelled",
                    attempts = *this.attempts,
                    "cancelled while retrying",
                );
            }
        }
    }
}

impl<S, C, P, Req> Future for ResponseFuture<S, C, P, Req>
where
    S: Service<SentRequest<P, Req>>,
    S::Error: Into<BoxError>,
    C: Classify<S::Response>,
    P: CallAdapter<Req, S::Response>,
{
    type Output = Result<S::Response, BoxError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            if let StateProj::Attempt { attempt } = self.as_mut().project().state.project() {
                // Polled before the deadline: a ready response wins over a passed deadline.
                let Poll::Ready(outcome) = attempt.poll(cx) else { break };
                let mut outcome = outcome.map_err(Into::into);
                let Classification { reported_failure, failure } = self.classify(&outcome);
                let Some(failure) = failure else {
                    if self.attempts > 1 {
                        return Poll::Ready(self.complete_success(outcome));
                    }
                    let mut this = self.project();
                    if let Ok(response) = &mut outcome {
                        this.adapter.remove_report(response);
                    }
                    this.state.set(State::Done);
                    return Poll::Ready(outcome);
                };
                let result = self.as_mut().handle_failure(outcome, failure, reported_failure);
                if let Some(result) = result {
                    return Poll::Ready(result);
                }
            }
            match self.as_mut().poll_next_attempt(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => break,
            }
        }
        self.poll_deadline(cx).map(Err)
    }
}

impl<S, C, P, Req> ResponseFuture<S, C, P, Req>
where
    S: Service<SentRequest<P, Req>>,
    S::Error: Into<BoxError>,
    P: CallAdapter<Req, S::Response>,
{
    /// Fails the call once its deadline has passed.
    fn poll_deadline(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<BoxError> {
        let Some(at) = self.call_deadline.enforced_at() else { return Poll::Pending };
        ready!(poll_at(self.as_mut().project().deadline_timer, at, cx));
        Poll::Ready(self.complete_at_deadline(at))
    }

    /// Completes when the next attempt is in flight.
    fn poll_next_attempt(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), BoxError>> {
        loop {
            let mut this = self.as_mut().project();
            let policy = this.policy.as_deref().unwrap_or(&this.settings.policy);
            match this.state.as_mut().project() {
                StateProj::Attempt { .. } => return Poll::Ready(Ok(())),
                StateProj::Delay { mut discard, mut sleep, retry_at, next_body } => {
                    if discard.as_mut().as_pin_mut().is_some_and(|it| it.poll(cx).is_ready()) {
                        discard.set(None);
                    }
                    // Without a delay, the timer only bounds the time to drain the body.
                    let is_due = |sleep: &Sleep| discard.is_none() && sleep.deadline() > *retry_at;
                    if let Some(mut sleep) = sleep.as_mut().as_pin_mut()
                        && !is_due(&sleep)
                    {
                        // Unconstrained: a task that spends its coop budget must not starve the
                        // timer.
                        ready!(pin!(unconstrained(sleep.as_mut())).poll(cx));
                        if sleep.deadline() < *retry_at {
                            // The timer was set for the end of draining. The delay continues.
                            discard.set(None);
                            sleep.reset(*retry_at);
                            continue;
                        }
                    }
                    let next_body = next_body.take();
                    this.state.set(State::PollReady { next_body, deadline: None });
                }
                StateProj::PollReady { next_body, mut deadline } => {
                    let service =
                        this.retry_service.as_mut().expect("kept while a retry is possible");
                    let readiness = service.poll_ready(cx);
                    let call_deadline = this.call_deadline.deadline;
                    if let Some(call_deadline) =
                        call_deadline.filter(|_| readiness.is_pending() || deadline.is_some())
                    {
                        // Checked even if the service is ready now: it may be ready too late.
                        let margin = this.settings.time_limits.deadline_margin;
                        let time = policy
                            .max_delay_before_deadline(Some(call_deadline.remaining()), margin);
                        if let (Ok(time), None) = (time, deadline.as_mut().as_pin_mut()) {
                            deadline.set(Some(sleep(time)));
                        }
                        let timer = deadline.as_pin_mut();
                        let is_elapsed = timer
                            .is_none_or(|timer| pin!(unconstrained(timer)).poll(cx).is_ready());
                        if time.is_err() || is_elapsed {
                            return Poll::Ready(Err(self.complete_without_time()));
                        }
                    }
                    if let Err(error) = ready!(readiness) {
                        return Poll::Ready(Err(self.complete_not_ready(error.into())));
                    }
                    let next_body = next_body.take().expect("kept until the service is ready");
                    *this.attempts += 1;
                    let number = AttemptNumber(nonzero_attempts(*this.attempts));
                    let header = policy.attempt_header.as_ref();
                    let request = this.adapter.rebuild(this.saved, next_body, number, header);
                    let attempt = service.call(request);
                    this.state.set(State::Attempt { attempt });
                }
                StateProj::Expired => {
                    this.state.set(State::Done);
                    let error = Elapsed::new(Duration::ZERO, TimeoutKind::BeforeCall);
                    return Poll::Ready(Err(error.into()));
                }
                StateProj::Done => panic!("polled after completion"),
            }
        }
    }
}

impl<S, C, P, Req> fmt::Debug for ResponseFuture<S, C, P, Req>
where
    S: Service<SentRequest<P, Req>>,
    P: CallAdapter<Req, S::Response>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("attempts", &self.attempts).finish_non_exhaustive()
    }
}
