use std::{
    fmt,
    marker::PhantomData,
    mem,
    task::{Context, Poll},
};

use tower_service::Service;

use super::{
    CircuitOpen, ResponseFuture,
    permit::Permit,
    readiness::{Readiness, Verdict},
    select::{Find, Single},
};
use crate::{
    body::{Extent, Head, Working},
    classify::{Classify, HttpClassifier},
    error::BoxError,
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
        let Some(core) = self.select.only() else {
            return self.inner.poll_ready(cx).map_err(Into::into);
        };
        loop {
            if !self.readiness.may_ask(core) {
                let verdict = self.readiness.look(core, cx);
                if verdict != Poll::Ready(Verdict::Ask) {
                    // What it was given for a call that will be rejected is somebody else's to use.
                    if mem::take(&mut self.readiness.asked) {
                        self.inner = self.inner.clone();
                    }
                    // The inner service is not asked, so it cannot keep anything either.
                    return verdict.map(|_| Ok(()));
                }
            }
            self.readiness.asked = true;
            match self.inner.poll_ready(cx) {
                Poll::Ready(Ok(())) => return Poll::Ready(Ok(())),
                Poll::Ready(Err(error)) => {
                    let error = error.into();
                    if let Ok(permit) = Permit::of(Some(core.clone())).admit() {
                        permit.failed(self.classifier.classify(Err(&*error)));
                    }
                    return Poll::Ready(Err(error));
                }
                Poll::Pending if self.readiness.watch(core, cx) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        self.readiness.asked = false;
        let mut permit = Permit::of(self.select.find(&request));
        if self.readiness.refuses() || !permit.admit_at_once() {
            permit = match self.admit(permit) {
                Ok(permit) => permit,
                Err(error) => return ResponseFuture::refused(error, self.classifier.clone()),
            };
        }
        let classifier = self.classifier.clone();
        let working = Working::on(&mut permit);
        let inner = self.inner.call(request);
        working.done();
        ResponseFuture::new(inner, permit, classifier)
    }
}

impl<S: Clone, C, K, E> CircuitBreaker<S, C, K, E> {
    /// Whether the call may pass, or why it is rejected.
    #[cold]
    #[inline(never)]
    fn admit(&mut self, permit: Permit) -> Result<Permit, Box<CircuitOpen>> {
        // An inner service that was not asked must not be called, whatever has happened since.
        if self.readiness.take_refusal() {
            return permit.reject();
        }
        permit.pass().inspect_err(|_| self.inner = self.inner.clone())
    }
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
