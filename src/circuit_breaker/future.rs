use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::{CircuitOpen, permit::Permit};
use crate::{
    BoxError, Classify,
    body::{Extent, Observer, Watch},
};

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
        Call {
            #[pin]
            inner: F,
            permit: Observer<Permit>,
        },
        Rejected { error: Option<Box<CircuitOpen>> },
    }
}

impl<F, C, E> ResponseFuture<F, C, E> {
    #[inline]
    pub(super) const fn new(inner: F, permit: Observer<Permit>, classifier: C) -> Self {
        Self { state: State::Call { inner, permit }, classifier, extent: PhantomData }
    }

    pub(super) const fn rejected(error: Box<CircuitOpen>, classifier: C) -> Self {
        let state = State::Rejected { error: Some(error) };
        Self { state, classifier, extent: PhantomData }
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
            StateProj::Rejected { error } => {
                return Poll::Ready(Err(error.take().expect("polled after completion")));
            }
        };
        permit.enter();
        let polled = inner.poll(cx);
        permit.leave();
        match ready!(polled) {
            Ok(response) => {
                if let Some(failure) = this.classifier.classify(Ok(&response)) {
                    permit.and_then(|permit| permit.classified(failure));
                }
                Poll::Ready(Ok(E::attach(response, permit.take().and_then(E::at_head))))
            }
            Err(error) => {
                let error = error.into();
                #[cfg(feature = "retry")]
                crate::attempts::hint_if_around_retry(&*error);
                let failure = this.classifier.classify(Err(&*error));
                if let Some(permit) = permit.take() {
                    permit.failed(failure);
                }
                Poll::Ready(Err(error))
            }
        }
    }
}

impl<F, C, E> fmt::Debug for ResponseFuture<F, C, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = matches!(self.state, State::Rejected { .. });
        f.debug_struct("ResponseFuture").field("refused", &refused).finish_non_exhaustive()
    }
}
