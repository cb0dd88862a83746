use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use seawall_core::{BoxError, classify::Classify};

use super::{CircuitOpen, permit::Permit};
use crate::body::{PanicGuard, TrackCompletion};

pin_project! {
    /// Response future of [`CircuitBreaker`](super::CircuitBreaker).
    pub struct ResponseFuture<F, C, Completion> {
        // `None` if the call is rejected.
        #[pin]
        inner: Option<F>,
        guard: PanicGuard<Permit>,
        rejection: Option<Box<CircuitOpen>>,
        classifier: C,
        completion: PhantomData<fn() -> Completion>,
    }
}

impl<F, C, Completion> ResponseFuture<F, C, Completion> {
    pub(super) const fn new(inner: F, guard: PanicGuard<Permit>, classifier: C) -> Self {
        Self { inner: Some(inner), guard, rejection: None, classifier, completion: PhantomData }
    }

    pub(super) const fn rejected(error: Box<CircuitOpen>, classifier: C) -> Self {
        let guard = PanicGuard::new(None);
        Self { inner: None, guard, rejection: Some(error), classifier, completion: PhantomData }
    }
}

impl<F, C, Completion, Res, Err> Future for ResponseFuture<F, C, Completion>
where
    F: Future<Output = Result<Res, Err>>,
    Err: Into<BoxError>,
    C: Classify<Res>,
    Completion: TrackCompletion<Res>,
{
    type Output = Result<Completion::Response<Permit>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(Err(this.rejection.take().expect("polled after completion")));
        };
        let guard = this.guard;
        guard.enter();
        let polled = inner.poll(cx);
        guard.leave();
        match ready!(polled) {
            Ok(response) => {
                let failure = this.classifier.classify(Ok(&response));
                if let (Some(permit), Some(failure)) = (guard.get_mut(), failure) {
                    permit.on_failure(failure);
                }
                Poll::Ready(Ok(Completion::wrap_response(response, guard)))
            }
            Err(error) => {
                let error = error.into();
                crate::layer_order::warn_if_wraps_retry(&*error);
                let failure = this.classifier.classify(Err(&*error));
                guard.finish(|permit| permit.finish_with(failure));
                Poll::Ready(Err(error))
            }
        }
    }
}

impl<F, C, Completion> fmt::Debug for ResponseFuture<F, C, Completion> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rejected = self.inner.is_none();
        f.debug_struct("ResponseFuture").field("rejected", &rejected).finish_non_exhaustive()
    }
}
