use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use seawall_core::BoxError;

use super::{LimitReached, limit::Permit};
use crate::body::{PanicGuard, TrackCompletion};

pin_project! {
    /// Response future of [`InFlightLimit`](super::InFlightLimit).
    pub struct ResponseFuture<F, E> {
        #[pin]
        pub(super) state: State<F>,
        pub(super) guard: PanicGuard<Permit>,
        pub(super) completion: PhantomData<fn() -> E>,
    }
}

pin_project! {
    #[project = StateProj]
    pub(super) enum State<F> {
        Call { #[pin] inner: F },
        Rejected { error: Option<Box<LimitReached>> },
    }
}

impl<F, E, Res, Err> Future for ResponseFuture<F, E>
where
    F: Future<Output = Result<Res, Err>>,
    Err: Into<BoxError>,
    E: TrackCompletion<Res>,
{
    type Output = Result<E::Response<Permit>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let inner = match this.state.project() {
            StateProj::Call { inner } => inner,
            StateProj::Rejected { error } => {
                return Poll::Ready(Err(error.take().expect("polled after completion")));
            }
        };
        let outcome = ready!(inner.poll(cx));
        if let Some(permit) = this.guard.get_mut() {
            permit.record_response(outcome.as_ref().map_or(true, E::is_overload));
        }
        Poll::Ready(match outcome {
            Ok(response) => Ok(E::wrap_response(response, this.guard)),
            Err(error) => {
                // A caller may keep the future after its completion. The permit is released now.
                this.guard.finish(|_| {});
                Err(error.into())
            }
        })
    }
}

impl<F, E> fmt::Debug for ResponseFuture<F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rejected = matches!(self.state, State::Rejected { .. });
        f.debug_struct("ResponseFuture").field("rejected", &rejected).finish_non_exhaustive()
    }
}
