use std::{
    fmt,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::Response;
use pin_project_lite::pin_project;
use tokio::{
    task::coop::unconstrained,
    time::{Instant, Sleep, sleep},
};
use tower_service::Service;

use super::{
    Attempt, Budget, Past, Protocol,
    counters::Spent,
    policy::Policy,
    protocol::{Again, Sent, count},
};
#[cfg(feature = "standard")]
use crate::poll_into::PollInto;
use crate::{BoxError, Classify, attempts::tell_dropped};

pin_project! {
    /// Response future of [`Retry`](super::Retry).
    pub struct ResponseFuture<S, C, P, Req>
    where
        S: Service<Sent<P, Req>>,
        P: Protocol<Req, S::Response>,
    {
        #[pin]
        pub(super) state: State<S::Future, P::Discard, Again<P, Req>>,
        // `None` once there will be no other attempt.
        pub(super) next: Option<S>,
        pub(super) saved: P::Saved,
        pub(super) body: P::Body,
        pub(super) classifier: C,
        pub(super) protocol: P,
        pub(super) policy: Arc<Policy>,
        // `None`: that of `policy`.
        pub(super) budget: Option<Arc<Budget>>,
        pub(super) started: Instant,
        pub(super) made: u32,
        // Boxed, and made by the first failure, because most calls have none.
        pub(super) history: Option<Box<History>>,
    }

    impl<S, C, P, Req> PinnedDrop for ResponseFuture<S, C, P, Req>
    where
        S: Service<Sent<P, Req>>,
        P: Protocol<Req, S::Response>,
    {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.history.is_some() && !matches!(this.state.project(), StateProj::Done) {
                tell_dropped(count(*this.made));
            }
        }
    }
}

/// What happened before the attempt under way.
#[derive(Default)]
pub(super) struct History {
    pub(super) spent: Spent,
    pub(super) waited: Duration,
    /// A request that was never written has been sent again free of charge.
    pub(super) resent: bool,
    /// One of the attempts may have been.
    pub(super) may_be_processed: bool,
    pub(super) past: Vec<Past>,
    pub(super) last_response: Option<Box<Response<()>>>,
}

pin_project! {
    #[project = StateProj]
    pub(super) enum State<F, D, A> {
        // An attempt is under way.
        Attempt { #[pin] attempt: F },
        // The failed response is read to its end, if that is quick, while the time passes.
        Wait {
            #[pin] discard: Option<D>,
            // `None`: no wait, only a look at whether the response is there already.
            #[pin] sleep: Option<Sleep>,
            until: Instant,
            again: Option<A>,
        },
        // The inner service is asked whether it can take another request, as long as that can be answered in time.
        Ready { again: Option<A>, #[pin] deadline: Option<Sleep> },
        Done,
    }
}

impl<S, C, P, Req> Future for ResponseFuture<S, C, P, Req>
where
    S: Service<Sent<P, Req>>,
    S::Error: Into<BoxError>,
    C: Classify<S::Response>,
    P: Protocol<Req, S::Response>,
{
    type Output = Result<S::Response, BoxError>;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "out of line, the response is moved once more")]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let StateProj::Attempt { attempt } = self.as_mut().project().state.project() {
            match ready!(attempt.poll(cx)) {
                // Most calls end here. No reference to the response goes out of line, so that it is moved once.
                Ok(response) if self.is_done(&response) => return Poll::Ready(Ok(response)),
                outcome => {
                    if let Some(outcome) = self.as_mut().look(outcome.map_err(Into::into)) {
                        return Poll::Ready(outcome);
                    }
                }
            }
        }
        let outcome = ready!(self.poll_on(cx));
        Poll::Ready(outcome)
    }
}

impl<S, C, P, Req> ResponseFuture<S, C, P, Req>
where
    S: Service<Sent<P, Req>>,
    S::Error: Into<BoxError>,
    C: Classify<S::Response>,
    P: Protocol<Req, S::Response>,
{
    /// Whether there is nothing more to do, as can be told at a glance: it was the first attempt, and did well.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `poll`")]
    fn is_done(&self, response: &S::Response) -> bool {
        let is_done = self.made == 1
            && self.policy.unwanted.is_empty()
            && self.classifier.is_surely_none(response);
        #[cfg(feature = "metrics")]
        if is_done {
            crate::metrics::attempt(None, 1);
        }
        is_done
    }

    /// Returns what the caller gets, or sets the state that leads to another attempt.
    #[inline(never)]
    fn look(
        mut self: Pin<&mut Self>,
        outcome: Result<S::Response, BoxError>,
    ) -> Option<Result<S::Response, BoxError>> {
        let this = self.as_mut().project();
        let failure = match &outcome {
            Ok(response) => {
                let failure = this.classifier.classify(Ok(response));
                failure.or_else(|| this.protocol.among(response, &this.policy.unwanted))
            }
            Err(error) => this.classifier.classify(Err(&**error)),
        };
        self.judge(outcome, failure)
    }

    /// From the end of an attempt to that of the call.
    #[inline(never)]
    fn poll_on(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<S::Response, BoxError>> {
        loop {
            if let Err(error) = ready!(self.as_mut().poll_again(cx)) {
                return Poll::Ready(Err(error));
            }
            if let StateProj::Attempt { attempt } = self.as_mut().project().state.project() {
                let outcome = ready!(attempt.poll(cx)).map_err(Into::into);
                if let Some(outcome) = self.as_mut().look(outcome) {
                    return Poll::Ready(outcome);
                }
            }
        }
    }
}

#[cfg(feature = "standard")]
impl<S, C, P, Req> PollInto for ResponseFuture<S, C, P, Req>
where
    S: Service<Sent<P, Req>, Error = BoxError>,
    S::Future: PollInto<Output = Result<S::Response, BoxError>>,
    C: Classify<S::Response>,
    P: Protocol<Req, S::Response>,
{
    type Output = Result<S::Response, BoxError>;

    #[inline]
    fn poll_into(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        polled: &mut Poll<Result<S::Response, BoxError>>,
    ) {
        if let StateProj::Attempt { attempt } = self.as_mut().project().state.project() {
            attempt.poll_into(cx, polled);
            match polled {
                Poll::Pending => return,
                Poll::Ready(Ok(response)) if self.is_done(response) => return,
                Poll::Ready(_) => {}
            }
            let Poll::Ready(outcome) = std::mem::replace(polled, Poll::Pending) else { return };
            if let Some(outcome) = self.as_mut().look(outcome) {
                *polled = Poll::Ready(outcome);
                return;
            }
        }
        // Most calls have no other attempt, and its response may be moved.
        *polled = self.poll_on(cx);
    }

    #[inline]
    fn wakes_by(&self) -> Option<Instant> {
        match &self.state {
            State::Attempt { attempt } => attempt.wakes_by(),
            _ => None,
        }
    }
}

impl<S, C, P, Req> ResponseFuture<S, C, P, Req>
where
    S: Service<Sent<P, Req>>,
    S::Error: Into<BoxError>,
    P: Protocol<Req, S::Response>,
{
    /// From one attempt to the next.
    #[inline(never)]
    fn poll_again(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        loop {
            let limit = self.deadline();
            let mut this = self.as_mut().project();
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
                    if let Some(limit) = limit.filter(|_| ready.is_pending() || deadline.is_some())
                    {
                        // Looked at even if it is ready by now, which may have come late.
                        let time = this.policy.time_to_wait(Some(limit.remaining()));
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
                    let number = Attempt(count(*this.made));
                    let header = this.policy.attempt_header.as_ref();
                    let request = this.protocol.again(this.saved, again, number, header);
                    let attempt = next.call(request);
                    this.state.set(State::Attempt { attempt });
                }
                StateProj::Done => panic!("polled after completion"),
            }
        }
    }
}

impl<S, C, P, Req> fmt::Debug for ResponseFuture<S, C, P, Req>
where
    S: Service<Sent<P, Req>>,
    P: Protocol<Req, S::Response>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("made", &self.made).finish_non_exhaustive()
    }
}
