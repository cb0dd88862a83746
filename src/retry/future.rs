use std::{
    fmt,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::{
    task::coop::unconstrained,
    time::{Instant, Sleep, sleep_until},
};
use tower_service::Service;

use super::{
    Attempt, Attempts, GaveUp, Protocol, Retry, Stop,
    policy::Policy,
    protocol::{Sent, count},
};
use crate::{BoxError, Classify, Failure};

/// How long a response given up for a retry may take to be read to its end, at most the wait for the retry itself.
const DRAIN_WAIT: Duration = Duration::from_millis(50);

pin_project! {
    /// Response future of [`Retry`].
    pub struct ResponseFuture<S, C, P, Req>
    where
        S: Service<Sent<P, Req>>,
        P: Protocol<Req, S::Response>,
    {
        #[pin]
        state: State<S::Future, P::Discard, Sent<P, Req>>,
        next: S,
        saved: P::Saved,
        classifier: C,
        protocol: P,
        policy: Arc<Policy>,
        started: Instant,
        made: u32,
        waited: Duration,
        // Of the attempt before.
        last: Option<Failure>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, D, Q> {
        // An attempt is under way.
        Attempt { #[pin] attempt: F },
        // The failed response is read to its end, if that is quick, while the time passes.
        Wait {
            #[pin] discard: Option<D>,
            // `None`: no wait, only a look at whether the response is there already.
            #[pin] sleep: Option<Sleep>,
            until: Instant,
            request: Option<Q>,
        },
        // The inner service is asked whether it can take another request.
        Ready { request: Option<Q> },
        Done,
    }
}

impl<S, C, P, Req> ResponseFuture<S, C, P, Req>
where
    S: Service<Sent<P, Req>>,
    C: Clone,
    P: Protocol<Req, S::Response> + Clone,
{
    pub(super) fn new(
        retry: &mut Retry<S, C, P>,
        request: Sent<P, Req>,
        saved: P::Saved,
        next: S,
    ) -> Self {
        Self {
            started: Instant::now(),
            state: State::Attempt {
                attempt: retry.inner.call(request),
            },
            next,
            saved,
            classifier: retry.classifier.clone(),
            protocol: retry.protocol.clone(),
            policy: Arc::clone(&retry.policy),
            made: 1,
            waited: Duration::ZERO,
            last: None,
        }
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

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut this = self.as_mut().project();
            match this.state.as_mut().project() {
                StateProj::Attempt { attempt } => {
                    let outcome = ready!(attempt.poll(cx)).map_err(Into::into);
                    if let Some(outcome) = self.as_mut().judge(outcome) {
                        self.project().state.set(State::Done);
                        return Poll::Ready(outcome);
                    }
                }
                StateProj::Wait {
                    mut discard,
                    mut sleep,
                    until,
                    request,
                } => {
                    if discard
                        .as_mut()
                        .as_pin_mut()
                        .is_some_and(|it| it.poll(cx).is_ready())
                    {
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
                    let request = request.take();
                    this.state.set(State::Ready { request });
                }
                StateProj::Ready { request } => {
                    if let Err(error) = ready!(this.next.poll_ready(cx)) {
                        let outcome = self.as_mut().give_up(error.into(), Stop::NotReady);
                        self.project().state.set(State::Done);
                        return Poll::Ready(Err(outcome));
                    }
                    let request = request.take().expect("kept until the service is ready");
                    let attempt = this.next.call(request);
                    *this.made += 1;
                    this.state.set(State::Attempt { attempt });
                }
                StateProj::Done => panic!("polled after completion"),
            }
        }
    }
}

impl<S, C, P, Req> ResponseFuture<S, C, P, Req>
where
    S: Service<Sent<P, Req>>,
    C: Classify<S::Response>,
    P: Protocol<Req, S::Response>,
{
    /// Returns what the caller gets, or sets the state that leads to another attempt.
    fn judge(
        mut self: Pin<&mut Self>,
        outcome: Result<S::Response, BoxError>,
    ) -> Option<Result<S::Response, BoxError>> {
        let this = self.as_mut().project();
        let failure = this
            .classifier
            .classify(outcome.as_ref().map_err(|error| &**error as _));
        let Some(failure) = failure else {
            return Some(if *this.made == 1 {
                outcome
            } else {
                self.finish(outcome, None)
            });
        };
        let about = this.protocol.about(this.saved);
        let decision =
            this.policy
                .decide(&failure, &about, *this.made, *this.waited, fastrand::f64);
        let again = decision.and_then(|delay| {
            let attempt = Attempt(count(*this.made + 1));
            let request = this.protocol.again(this.saved, attempt);
            request
                .map(|request| (delay, request))
                .ok_or(Stop::NotReplayable)
        });
        let (delay, request) = match again {
            Ok(again) => again,
            Err(stop) => {
                tracing::debug!(
                    name: "give up",
                    attempts = *this.made, cause = failure.cause().as_str(), stop = stop.as_str(),
                    "giving up",
                );
                return Some(self.finish(outcome, Some(stop)));
            }
        };
        tracing::debug!(
            name: "retry",
            attempt = *this.made + 1, cause = failure.cause().as_str(), ?delay,
            "trying again",
        );
        *this.last = Some(failure);
        *this.waited = this.waited.saturating_add(delay);
        let discard = outcome.ok().map(|response| this.protocol.discard(response));
        self.wait(delay, discard, request);
        None
    }

    fn wait(
        self: Pin<&mut Self>,
        delay: Duration,
        discard: Option<P::Discard>,
        request: Sent<P, Req>,
    ) {
        let mut this = self.project();
        let request = Some(request);
        let now = Instant::now();
        // Waits are limited, so this is no end of time; if it were, the wait would only be short.
        let until = now.checked_add(delay).unwrap_or(now);
        let first = if discard.is_some() {
            until.min(now + DRAIN_WAIT)
        } else {
            until
        };
        // tokio's shortest sleep takes a millisecond.
        let sleep = (!delay.is_zero()).then(|| sleep_until(first));
        this.state.set(State::Wait {
            discard,
            sleep,
            until,
            request,
        });
    }

    fn finish(
        self: Pin<&mut Self>,
        outcome: Result<S::Response, BoxError>,
        stop: Option<Stop>,
    ) -> Result<S::Response, BoxError> {
        match outcome {
            Ok(mut response) => {
                let this = self.project();
                let attempts =
                    Attempts::new(count(*this.made), this.started.elapsed(), stop, *this.last);
                this.protocol.annotate(&mut response, attempts);
                Ok(response)
            }
            Err(error) => match stop {
                Some(stop) if self.made > 1 => Err(self.give_up(error, stop)),
                // An error that the classifier does not take for a failure, or of the only attempt.
                _ => Err(error),
            },
        }
    }

    fn give_up(self: Pin<&mut Self>, error: BoxError, stop: Stop) -> BoxError {
        GaveUp::new(count(self.made), self.started.elapsed(), stop, error).into()
    }
}

impl<S, C, P, Req> fmt::Debug for ResponseFuture<S, C, P, Req>
where
    S: Service<Sent<P, Req>>,
    P: Protocol<Req, S::Response>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("made", &self.made)
            .field("waited", &self.waited)
            .finish_non_exhaustive()
    }
}
