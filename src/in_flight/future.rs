use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::{Shed, limit::Place};
use crate::{BoxError, body::{Extent, Observer}};

pin_project! {
    /// Response future of [`InFlightLimit`](super::InFlightLimit).
    pub struct ResponseFuture<F, E> {
        #[pin]
        pub(super) state: State<F>,
        // `None` if the call has no limit, and after the response.
        pub(super) place: Option<Place>,
        pub(super) extent: PhantomData<fn() -> E>,
    }
}

pin_project! {
    #[project = StateProj]
    pub(super) enum State<F> {
        Call { #[pin] inner: F },
        Refused { error: Option<Box<Shed>> },
    }
}

impl<F, E, Res, Err> Future for ResponseFuture<F, E>
where
    F: Future<Output = Result<Res, Err>>,
    Err: Into<BoxError>,
    E: Extent<Res>,
{
    type Output = Result<E::Response<Place>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let inner = match this.state.project() {
            StateProj::Call { inner } => inner,
            StateProj::Refused { error } => {
                return Poll::Ready(Err(error.take().expect("polled after completion")));
            }
        };
        let outcome = ready!(inner.poll(cx));
        // Taken, so that a caller that keeps this future keeps no place.
        let mut place = Observer::new(this.place.take());
        if let Some(place) = place.get_mut() {
            place.responded(outcome.as_ref().map_or(true, E::is_failed));
        }
        let outcome = outcome.map(|response| E::attach(response, &mut place));
        Poll::Ready(outcome.map_err(Into::into))
    }
}

impl<F, E> fmt::Debug for ResponseFuture<F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = matches!(self.state, State::Refused { .. });
        f.debug_struct("ResponseFuture").field("refused", &refused).finish_non_exhaustive()
    }
}
