use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};

use super::{AttemptBody, service::Settings};
use crate::{
    BoxError, bad_gateway,
    bad_gateway::Looking,
    body::{Watched, is_failed},
    in_flight::Place,
    logging,
    time_limit::{Elapsed, Phase, TimedBody, poll_from_now},
};

pin_project! {
    /// What stands inside of the breaker: limit, timeouts and classifier.
    pub(super) struct Answer<F, B: Body> {
        #[pin]
        state: State<F, B>,
        // Armed by the first pending poll, which the retry makes as soon as the call is made.
        #[pin]
        timer: Option<Sleep>,
        place: Option<Place>,
        settings: Arc<Settings>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, B: Body> {
        Call { #[pin] inner: F },
        // A failed response is looked at.
        Look { looking: Option<Box<Looking<B>>> },
        Refused { error: Option<BoxError> },
        Done,
    }
}

impl<F, B: Body> Answer<F, B> {
    #[inline]
    pub(super) const fn new(inner: F, place: Option<Place>, settings: Arc<Settings>) -> Self {
        Self { state: State::Call { inner }, timer: None, place, settings }
    }

    /// When its time is over, once that is waited for.
    #[inline]
    pub(super) fn wakes_by(&self) -> Option<Instant> {
        self.timer.as_ref().map(Sleep::deadline)
    }

    #[inline]
    pub(super) const fn refused(error: BoxError, settings: Arc<Settings>) -> Self {
        let state = State::Refused { error: Some(error) };
        Self { state, timer: None, place: None, settings }
    }
}

impl<F, B, E> Answer<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: Body,
    B::Error: Into<BoxError>,
{
    /// As [`PollInto`](crate::poll_into::PollInto).
    #[inline]
    pub(super) fn poll_into(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        polled: &mut Poll<Result<Response<AttemptBody<B>>, BoxError>>,
    ) {
        let mut this = self.project();
        if let StateProj::Call { inner } = this.state.as_mut().project() {
            match inner.poll(cx) {
                // Most calls end here, so it is kept short.
                Poll::Ready(Ok(response)) if response.status().as_u16() < 400 => {
                    answered(this.place, false);
                    *polled = Poll::Ready(Ok(response.map(|body| {
                        let body = bad_gateway::ResponseBody::untouched(body);
                        watched(body, this.place, this.settings)
                    })));
                    return;
                }
                Poll::Ready(Ok(response)) => {
                    answered(this.place, is_failed(response.status()));
                    match Looking::begin(response, this.settings.bad_gateway) {
                        Ok(response) => {
                            let body = |body| watched(body, this.place, this.settings);
                            *polled = Poll::Ready(Ok(response.map(body)));
                            return;
                        }
                        Err(looking) => this.state.set(State::Look { looking: Some(looking) }),
                    }
                }
                Poll::Ready(Err(error)) => {
                    answered(this.place, true);
                    *this.place = None;
                    *polled = Poll::Ready(Err(error.into()));
                    return;
                }
                Poll::Pending => {}
            }
        }
        match this.state.as_mut().project() {
            StateProj::Call { .. } => {}
            StateProj::Look { looking } => {
                let settings = this.settings.bad_gateway;
                match looking.take().expect("polled after completion").poll(settings, cx) {
                    Ok(response) => {
                        let body = |body| watched(body, this.place, this.settings);
                        *polled = Poll::Ready(Ok(response.map(body)));
                        return;
                    }
                    Err(pending) => *looking = Some(pending),
                }
            }
            StateProj::Refused { error } => {
                *polled = Poll::Ready(Err(error.take().expect("polled after completion")));
                return;
            }
            StateProj::Done => panic!("polled after completion"),
        }
        let limit = this.settings.limit;
        if poll_from_now(this.timer, limit, cx).is_pending() {
            return;
        }
        this.state.set(State::Done);
        answered(this.place, true);
        *this.place = None;
        *polled = Poll::Ready(Err(Elapsed::new(limit, Phase::ResponseHead).into()));
    }
}

/// To be told before the place is given back, for a limit that learns from it.
#[inline]
fn answered(place: &mut Option<Place>, failed: bool) {
    if let Some(place) = place {
        place.answered(failed);
    }
}

#[inline]
fn watched<B>(
    body: bad_gateway::ResponseBody<B>,
    place: &mut Option<Place>,
    settings: &Settings,
) -> AttemptBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let body = TimedBody::new(body, settings.body);
    logging::ResponseBody::unwatched(Watched::new(body, place.take()))
}
