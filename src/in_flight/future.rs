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
    pub struct ResponseFuture<F, Completion> {
        #[pin]
        pub(super) state: State<F>,
        pub(super) guard: PanicGuard<Permit>,
        pub(super) completion: PhantomData<fn() -> Completion>,
    }
}

pin_project! {
    #[project = StateProj]
    pub(super) enum State<F> {
        Call { #[pin] inner: F },
        Rejected { error: Option<Box<LimitReached>> },
    }
}

impl<F, Completion, Res, Err> Future for ResponseFuture<F, Completion>
where
    F: Future<Output = Result<Res, Err>>,
    Err: Into<BoxError>,
    Completion: TrackCompletion<Res>,
{
    type Output = Result<Completion::Response<Permit>, BoxError>;

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
            permit.record_outcome(outcome.as_ref().map_or(true, Completion::is_overload));
        }
        Poll::Ready(match outcome {
            Ok(response) => Ok(Completion::wrap_response(response, this.guard)),
            Err(error) => {
                // Release the permit now, because the caller may keep the completed future.
                this.guard.release();
                Err(error.into())
            }
        })
    }
}

impl<F, Completion> fmt::Debug for ResponseFuture<F, Completion> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rejected = matches!(self.state, State::Rejected { .. });
        f.debug_struct("ResponseFuture").field("rejected", &rejected).finish_non_exhaustive()
    }
}
