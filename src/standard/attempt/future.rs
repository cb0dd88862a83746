use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::Sleep;

use super::{AttemptBody, service::Settings};
use crate::{
    BoxError, bad_gateway,
    bad_gateway::Looking,
    body::{Watched, is_failed},
    in_flight::{Place, Shed},
    time_limit::{Bounds, Elapsed, Phase, TimedBody, poll_from_now},
};

pin_project! {
    /// Response future of one attempt.
    pub struct ResponseFuture<F, B: Body> {
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
        Refused { shed: Option<Box<Shed>> },
        Done,
    }
}

impl<F, B: Body> ResponseFuture<F, B> {
    #[inline]
    pub(super) const fn new(inner: F, place: Option<Place>, settings: Arc<Settings>) -> Self {
        Self { state: State::Call { inner }, timer: None, place, settings }
    }

    #[cold]
    pub(super) fn refused(shed: Box<Shed>, settings: Arc<Settings>) -> Self {
        let state = State::Refused { shed: Some(shed) };
        Self { state, timer: None, place: None, settings }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: Body,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<AttemptBody<B>>, BoxError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let StateProj::Call { inner } = this.state.as_mut().project() {
            match inner.poll(cx) {
                // Most calls end here, so it is kept short.
                Poll::Ready(Ok(response)) if response.status().as_u16() < 400 => {
                    answered(this.place, false);
                    let body = |body| {
                        let body = bad_gateway::ResponseBody::untouched(body);
                        watched(body, this.place, this.settings)
                    };
                    return Poll::Ready(Ok(response.map(body)));
                }
                Poll::Ready(Ok(response)) => {
                    answered(this.place, is_failed(response.status()));
                    match Looking::begin(response, this.settings.bad_gateway) {
                        Ok(response) => {
                            let body = |body| watched(body, this.place, this.settings);
                            return Poll::Ready(Ok(response.map(body)));
                        }
                        Err(looking) => this.state.set(State::Look { looking: Some(looking) }),
                    }
                }
                Poll::Ready(Err(error)) => {
                    answered(this.place, true);
                    *this.place = None;
                    return Poll::Ready(Err(error.into()));
                }
                Poll::Pending => {}
            }
        }
        match this.state.as_mut().project() {
            StateProj::Call { .. } => {}
            StateProj::Look { looking } => {
                let settings = this.settings.bad_gateway;
                if let Poll::Ready(response) = Looking::poll(looking, settings, cx) {
                    let body = |body| watched(body, this.place, this.settings);
                    return Poll::Ready(Ok(response.map(body)));
                }
            }
            StateProj::Refused { shed } => {
                return Poll::Ready(Err(shed.take().expect("polled after completion")));
            }
            StateProj::Done => panic!("polled after completion"),
        }
        let limit = this.settings.limit;
        ready!(poll_from_now(this.timer, limit, cx));
        this.state.set(State::Done);
        answered(this.place, true);
        *this.place = None;
        Poll::Ready(Err(Elapsed::new(limit, Phase::ResponseHead).into()))
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
    Watched::new(TimedBody::new(body, Bounds::idle(settings.body_idle)), place.take())
}

impl<F, B: Body> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
