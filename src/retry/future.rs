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
    call_adapter::{Replayed, SentRequest, attempt_number},
    policy::Policy,
    settings::{CallDeadline, Settings},
    state::{History, State, StateProj, Verdict},
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
        pub(super) state: State<S::Future, P::Discard, Replayed<P, Req>>,
        // `None` once there will be no other attempt.
        pub(super) next: Option<S>,
        pub(super) saved: P::Saved,
        pub(super) body: P::Body,
        pub(super) classifier: C,
        pub(super) adapter: P,
        pub(super) settings: ShardedArc<Settings>,
        // The request's own, in place of the one in `settings`.
        pub(super) policy: Option<Arc<Policy>>,
        // `None`: the shared one of `settings`.
        pub(super) budget: Option<ShardedArc<Budget>>,
        pub(super) started: Instant,
        pub(super) deadline: CallDeadline,
        // Of the whole call. Armed by the first pending poll.
        #[pin]
        pub(super) timer: Option<Sleep>,
        pub(super) made: u32,
        // Boxed, and made by the first failure, because most calls have none.
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
            // A subscriber that panics must not make a second panic.
            if this.history.is_some() && !is_done && !std::thread::panicking() {
                tracing::debug!(name: "cancelled", attempts = *this.made, "cancelled while retrying");
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
                // The response first: one that is ready beats a deadline that has passed.
                let Poll::Ready(outcome) = attempt.poll(cx) else { break };
                let mut outcome = outcome.map_err(Into::into);
                let Verdict { classified, failure } = self.classify(&outcome);
                let Some(failure) = failure else {
                    if self.made > 1 {
                        return Poll::Ready(self.finish(outcome));
                    }
                    let mut this = self.project();
                    if let Ok(response) = &mut outcome {
                        this.adapter.remove_report(response);
                    }
                    this.state.set(State::Done);
                    return Poll::Ready(outcome);
                };
                if let Some(outcome) = self.as_mut().retry(outcome, failure, classified) {
                    return Poll::Ready(outcome);
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
    /// Ends the call once its deadline has passed.
    fn poll_deadline(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<BoxError> {
        let Some(at) = self.deadline.enforced() else { return Poll::Pending };
        ready!(poll_at(self.as_mut().project().timer, at, cx));
        Poll::Ready(self.time_out(at))
    }

    /// From one attempt to the next.
    fn poll_next_attempt(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), BoxError>> {
        loop {
            let mut this = self.as_mut().project();
            let policy = this.policy.as_deref().unwrap_or(&this.settings.policy);
            match this.state.as_mut().project() {
                StateProj::Attempt { .. } => return Poll::Ready(Ok(())),
                StateProj::Wait { mut discard, mut sleep, until, again } => {
                    if discard.as_mut().as_pin_mut().is_some_and(|it| it.poll(cx).is_ready()) {
                        discard.set(None);
                    }
                    if let Some(mut sleep) = sleep.as_mut().as_pin_mut() {
                        // Unconstrained: whatever else the task does must not keep the timer from being seen.
                        ready!(pin!(unconstrained(sleep.as_mut())).poll(cx));
                        if sleep.deadline() < *until {
                            // Only the time for draining is over.
                            discard.set(None);
                            sleep.reset(*until);
                            continue;
                        }
                    }
                    let again = again.take();
                    this.state.set(State::Ready { again, deadline: None });
                }
                StateProj::Ready { again, mut deadline } => {
                    let next = this.next.as_mut().expect("kept while there may be another attempt");
                    let ready = next.poll_ready(cx);
                    let limit = this.deadline.at;
                    if let Some(limit) = limit.filter(|_| ready.is_pending() || deadline.is_some())
                    {
                        // Looked at even if it is ready by now, which may have come late.
                        let margin = this.settings.time_limits.deadline_margin;
                        let time = policy.time_to_wait(Some(limit.remaining()), margin);
                        if let (Ok(time), None) = (time, deadline.as_mut().as_pin_mut()) {
                            deadline.set(Some(sleep(time)));
                        }
                        let timer = deadline.as_pin_mut();
                        let is_over = timer
                            .is_none_or(|timer| pin!(unconstrained(timer)).poll(cx).is_ready());
                        if time.is_err() || is_over {
                            return Poll::Ready(Err(self.out_of_time()));
                        }
                    }
                    if let Err(error) = ready!(ready) {
                        return Poll::Ready(Err(self.not_ready(error.into())));
                    }
                    let again = again.take().expect("kept until the service is ready");
                    *this.made += 1;
                    let number = AttemptNumber(attempt_number(*this.made));
                    let header = policy.attempt_header.as_ref();
                    let request = this.adapter.again(this.saved, again, number, header);
                    let attempt = next.call(request);
                    this.state.set(State::Attempt { attempt });
                }
                StateProj::Late => {
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
        f.debug_struct("ResponseFuture").field("made", &self.made).finish_non_exhaustive()
    }
}
