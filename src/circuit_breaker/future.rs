use std::{
    fmt,
    marker::PhantomData,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
    thread,
};

use pin_project_lite::pin_project;

use super::{CircuitOpen, permit::Permit};
use crate::{BoxError, Classify, body::Extent};

pin_project! {
    /// Response future of [`CircuitBreaker`](super::CircuitBreaker).
    pub struct ResponseFuture<F, C, E> {
        #[pin]
        state: State<F>,
        classifier: C,
        extent: PhantomData<fn() -> E>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F> {
        // The permit is gone once the result is in; a call that does not count has none.
        Call { #[pin] inner: F, permit: Option<Permit> },
        Refused { error: Option<Box<CircuitOpen>> },
    }
}

impl<F, C, E> ResponseFuture<F, C, E> {
    #[inline]
    pub(super) const fn new(inner: F, permit: Option<Permit>, classifier: C) -> Self {
        Self { state: State::Call { inner, permit }, classifier, extent: PhantomData }
    }

    #[cold]
    pub(super) fn refused(error: CircuitOpen, classifier: C) -> Self {
        let error = Some(Box::new(error));
        Self { state: State::Refused { error }, classifier, extent: PhantomData }
    }
}

impl<F, C, E, Res, Err> Future for ResponseFuture<F, C, E>
where
    F: Future<Output = Result<Res, Err>>,
    Err: Into<BoxError>,
    C: Classify<Res>,
    E: Extent<Res>,
{
    type Output = Result<E::Response<Permit>, BoxError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (inner, permit) = match this.state.project() {
            StateProj::Call { inner, permit } => (inner, permit),
            StateProj::Refused { error } => {
                return Poll::Ready(Err(error.take().expect("polled after completion")));
            }
        };
        let guard = OnPanic(permit);
        let polled = ready!(inner.poll(cx));
        guard.disarm();
        // Looked at where it is: to move it costs more than all the rest.
        if let Some(permit) = permit {
            match &polled {
                Ok(response) => {
                    if let Some(failure) = this.classifier.classify(Ok(response)) {
                        permit.judge(failure);
                    }
                }
                Err(_) => {}
            }
        }
        Poll::Ready(match polled {
            Ok(response) => Ok(E::watch(response, permit)),
            Err(error) => {
                let error = error.into();
                if let Some(permit) = permit {
                    permit.failed(this.classifier.classify(Err(&*error)));
                }
                Err(error)
            }
        })
    }
}

/// Counts a call that panics as a failure. Forgotten when it did not.
pub(super) struct OnPanic<'a>(pub(super) &'a mut Option<Permit>);

impl OnPanic<'_> {
    #[inline]
    pub(super) fn disarm(self) {
        mem::forget(self);
    }
}

impl Drop for OnPanic<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(permit) = self.0
            && thread::panicking()
        {
            permit.panicked();
        }
    }
}

impl<F, C, E> fmt::Debug for ResponseFuture<F, C, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = matches!(self.state, State::Refused { .. });
        f.debug_struct("ResponseFuture").field("refused", &refused).finish_non_exhaustive()
    }
}
