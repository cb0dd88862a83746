use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::{CircuitOpen, permit::Permit};
use crate::{
    BoxError, Classify,
    body::{Extent, watching},
};

pin_project! {
    /// Response future of [`CircuitBreaker`](super::CircuitBreaker).
    pub struct ResponseFuture<F, C, E> {
        #[pin]
        pub(super) state: State<F>,
        pub(super) permit: Permit,
        pub(super) classifier: C,
        pub(super) extent: PhantomData<fn() -> E>,
    }
}

pin_project! {
    #[project = StateProj]
    pub(super) enum State<F> {
        Call { #[pin] inner: F },
        Refused { error: Option<Box<CircuitOpen>> },
    }
}

impl<F, C, E> ResponseFuture<F, C, E> {
    #[cold]
    pub(super) fn refused(error: Box<CircuitOpen>, classifier: C) -> Self {
        let error = Some(error);
        Self {
            state: State::Refused { error },
            permit: Permit::default(),
            classifier,
            extent: PhantomData,
        }
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
        let inner = match this.state.project() {
            StateProj::Call { inner } => inner,
            StateProj::Refused { error } => {
                return Poll::Ready(Err(error.take().expect("polled after completion")));
            }
        };
        let permit = this.permit;
        let polled = watching(permit, || inner.poll(cx));
        // Looked at where it is: to move it costs more than all the rest.
        if let Poll::Ready(Ok(response)) = &polled {
            if let Some(failure) = this.classifier.classify(Ok(response)) {
                permit.judge(failure);
            }
            E::at_head(permit);
        }
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(response)) => Poll::Ready(Ok(E::attach(response, || permit.take()))),
            Poll::Ready(Err(error)) => {
                Poll::Ready(Err(failed(error.into(), permit, this.classifier)))
            }
        }
    }
}

#[cold]
fn failed<Res>(error: BoxError, permit: &mut Permit, classifier: &impl Classify<Res>) -> BoxError {
    #[cfg(feature = "retry")]
    crate::attempts::hint_if_around_retry(&*error);
    permit.failed(classifier.classify(Err(&*error)));
    error
}

impl<F, C, E> fmt::Debug for ResponseFuture<F, C, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = matches!(self.state, State::Refused { .. });
        f.debug_struct("ResponseFuture").field("refused", &refused).finish_non_exhaustive()
    }
}
