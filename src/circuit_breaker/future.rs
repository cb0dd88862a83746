use std::{
    fmt,
    marker::PhantomData,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::{CircuitOpen, permit::Permit};
use crate::{
    body::{Extent, Working, let_go},
    classify::Classify,
    error::BoxError,
};

pin_project! {
    /// Response future of [`CircuitBreaker`](super::CircuitBreaker).
    pub struct ResponseFuture<F, C, E> {
        // `None` of a call that is refused.
        #[pin]
        inner: Option<F>,
        fate: Fate,
        classifier: C,
        extent: PhantomData<fn() -> E>,
    }
}

/// The right to pass, or why there is none. Let go of out of line, so that little enough is left to be done in line as the
/// future is dropped.
struct Fate {
    permit: Permit,
    refused: Option<Box<CircuitOpen>>,
}

impl Drop for Fate {
    #[inline]
    fn drop(&mut self) {
        if self.permit.counts() || self.refused.is_some() {
            let_go((mem::take(&mut self.permit), self.refused.take()));
        }
    }
}

impl<F, C, E> ResponseFuture<F, C, E> {
    #[inline]
    pub(super) fn new(inner: F, permit: Permit, classifier: C) -> Self {
        Self {
            inner: Some(inner),
            fate: Fate { permit, refused: None },
            classifier,
            extent: PhantomData,
        }
    }

    #[inline]
    pub(super) fn refused(error: Box<CircuitOpen>, classifier: C) -> Self {
        Self {
            inner: None,
            fate: Fate { permit: Permit::default(), refused: Some(error) },
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

    // No reference into the future, or to the response, goes out of line, so that the compiler may take both apart.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "out of line, future and response are moved")]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(Err(this.fate.refused.take().expect(COMPLETED)));
        };
        let working = Working::on(&mut this.fate.permit);
        let polled = inner.poll(cx);
        working.done();
        let outcome = ready!(polled);
        let permit = mem::take(&mut this.fate.permit);
        match outcome {
            // Most calls end here.
            Ok(response) if this.classifier.is_surely_none(&response) => {
                let permit = E::at_head(permit);
                Poll::Ready(Ok(E::attach(response, permit.and_then(Permit::if_counts))))
            }
            outcome => {
                let outcome =
                    judged::<E, _, _>(outcome.map_err(Into::into), permit, this.classifier);
                Poll::Ready(outcome)
            }
        }
    }
}

const COMPLETED: &str = "polled after completion";

/// Tells the circuit how it went.
#[cold]
#[inline(never)]
fn judged<E: Extent<Res>, Res, C: Classify<Res>>(
    outcome: Result<Res, BoxError>,
    permit: Permit,
    classifier: &C,
) -> Result<E::Response<Permit>, BoxError> {
    match outcome {
        Ok(response) => {
            let permit = match classifier.classify(Ok(&response)) {
                Some(failure) => permit.judge(failure),
                None => permit,
            };
            let permit = E::at_head(permit);
            Ok(E::attach(response, permit.and_then(Permit::if_counts)))
        }
        Err(error) => {
            crate::attempts::hint_if_around_retry(&*error);
            permit.failed(classifier.classify(Err(&*error)));
            Err(error)
        }
    }
}

impl<F, C, E> fmt::Debug for ResponseFuture<F, C, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = self.inner.is_none();
        f.debug_struct("ResponseFuture").field("refused", &refused).finish_non_exhaustive()
    }
}
