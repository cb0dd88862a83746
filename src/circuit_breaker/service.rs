use std::{
    fmt,
    marker::PhantomData,
    task::{Context, Poll, ready},
};

use tower_service::Service;

use super::{
    CircuitOpen, ResponseFuture,
    future::State,
    permit::Permit,
    readiness::{Readiness, Verdict},
    select::{Find, Single},
};
use crate::{
    BoxError, Classify, HttpClassifier,
    body::{Extent, Head},
};

/// Service made by [`CircuitBreakerLayer`](super::CircuitBreakerLayer).
///
/// The inner service must be `Clone`: an instance that was ready for a call which is then rejected is replaced by a clone,
/// so that it does not keep what it was given to be ready, such as the permit of a concurrency limit.
pub struct CircuitBreaker<S, C = HttpClassifier, K = Single, E = Head> {
    pub(super) inner: S,
    pub(super) classifier: C,
    pub(super) select: K,
    pub(super) readiness: Readiness,
    pub(super) extent: PhantomData<fn() -> E>,
}

impl<S, C, K, E, Req> Service<Req> for CircuitBreaker<S, C, K, E>
where
    S: Service<Req> + Clone,
    S::Error: Into<BoxError>,
    C: Classify<S::Response> + Clone,
    K: Find<Req>,
    E: Extent<S::Response>,
{
    type Response = E::Response<Permit>;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future, C, E>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let core = self.select.only();
        if let Some(core) = core {
            match self.readiness.poll(core, cx) {
                Poll::Ready(Verdict::Ask) => {}
                // The inner service is not asked, so it cannot keep anything for a call that will be rejected.
                Poll::Ready(Verdict::Refuse) => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
        let Err(error) = ready!(self.inner.poll_ready(cx)) else { return Poll::Ready(Ok(())) };
        let error = error.into();
        // Whose failure it is can only be told if there is one circuit.
        if let Some(Ok(mut permit)) = core.cloned().map(Permit::take) {
            permit.failed(self.classifier.classify(Err(&*error)));
        }
        Poll::Ready(Err(error))
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        let permit = match self.admit(&request) {
            Ok(permit) => permit,
            Err(error) => return refuse(request, error, self.classifier.clone()),
        };
        // In this order, and each written where it stays: should the inner service panic, the permit knows.
        ResponseFuture {
            state: State::Call {
                inner: self.inner.call(request),
                permit: permit.map(Permit::left),
            },
            classifier: self.classifier.clone(),
            extent: PhantomData,
        }
    }
}

impl<S: Clone, C, K, E> CircuitBreaker<S, C, K, E> {
    /// The permit of a call, if it is one that counts; or why it is rejected.
    #[inline]
    fn admit<Req>(&mut self, request: &Req) -> Result<Option<Permit>, Box<CircuitOpen>>
    where
        K: Find<Req>,
    {
        let Some(core) = self.select.find(request) else { return Ok(None) };
        // An inner service that was not asked must not be called, whatever has happened since.
        if self.readiness.take_refusal() {
            return Err(Box::new(CircuitOpen::new(&core, core.reject())));
        }
        match Permit::take(core) {
            Ok(permit) => Ok(Some(permit)),
            Err((core, _)) if core.settings.shadow => Ok(None),
            Err((core, refusal)) => {
                self.inner = self.inner.clone();
                Err(Box::new(CircuitOpen::new(&core, refusal)))
            }
        }
    }
}

/// Apart from the rest, so that a request which is not rejected need not be moved.
#[cold]
fn refuse<Req, F, C, E>(
    request: Req,
    error: Box<CircuitOpen>,
    classifier: C,
) -> ResponseFuture<F, C, E> {
    drop(request);
    ResponseFuture::refused(error, classifier)
}

impl<S: Clone, C: Clone, K: Clone, E> Clone for CircuitBreaker<S, C, K, E> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            classifier: self.classifier.clone(),
            select: self.select.clone(),
            // A clone starts unready.
            readiness: self.readiness.fresh(),
            extent: PhantomData,
        }
    }
}

impl<S: fmt::Debug, C, K: fmt::Debug, E> fmt::Debug for CircuitBreaker<S, C, K, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("inner", &self.inner)
            .field("select", &self.select)
            .finish_non_exhaustive()
    }
}
