use std::{
    fmt,
    marker::PhantomData,
    mem,
    task::{Context, Poll},
};

use seawall_core::{
    BoxError,
    classify::{Classify, HttpClassifier},
};
use tower_service::Service;

use super::{
    CircuitOpen, ResponseFuture,
    permit::Permit,
    readiness::{Decision, Readiness},
    selector::{CircuitSelector, SharedCircuit},
};
use crate::body::{CompleteOnResponse, PanicGuard, TrackCompletion};

/// A service that rejects calls while its circuit is open. Created by
/// [`CircuitBreakerLayer`](super::CircuitBreakerLayer).
///
/// The inner service must be `Clone`. If a call is rejected after the inner service was ready for
/// it, a clone replaces that instance. This releases resources that it reserved, such as the permit
/// of a concurrency limit.
pub struct CircuitBreaker<S, C = HttpClassifier, K = SharedCircuit, Completion = CompleteOnResponse>
{
    pub(super) inner: S,
    pub(super) classifier: C,
    pub(super) selector: K,
    pub(super) readiness: Readiness,
    pub(super) completion: PhantomData<fn() -> Completion>,
}

impl<S, C, K, Completion, Req> Service<Req> for CircuitBreaker<S, C, K, Completion>
where
    S: Service<Req> + Clone,
    S::Error: Into<BoxError>,
    C: Classify<S::Response> + Clone,
    K: CircuitSelector<Req>,
    Completion: TrackCompletion<S::Response>,
{
    type Response = Completion::Response<Permit>;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future, C, Completion>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let Some(circuit) = self.selector.shared_circuit() else {
            return self.inner.poll_ready(cx).map_err(Into::into);
        };
        loop {
            let decision = self.readiness.decide(circuit, cx);
            if decision != Poll::Ready(Decision::PollInner) {
                // The next call is rejected, so the inner service must not hold resources for it.
                if mem::take(&mut self.readiness.inner_polled) {
                    self.inner = self.inner.clone();
                }
                return decision.map(|_| Ok(()));
            }
            self.readiness.inner_polled = true;
            match self.inner.poll_ready(cx) {
                Poll::Ready(Ok(())) => return Poll::Ready(Ok(())),
                Poll::Ready(Err(error)) => {
                    let error = error.into();
                    if let Ok(Some(mut permit)) = Permit::acquire(circuit.clone()) {
                        let failure = self.classifier.classify(Err(&*error));
                        permit.finish_with(failure);
                    }
                    return Poll::Ready(Err(error));
                }
                Poll::Pending if self.readiness.register_for_opening(circuit, cx) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let mut guard = match self.admit(&request) {
            Ok(permit) => PanicGuard::new(permit),
            Err(error) => {
                return ResponseFuture::rejected(error, self.classifier.clone());
            }
        };
        guard.enter();
        let inner = self.inner.call(request);
        guard.leave();
        ResponseFuture::new(inner, guard, self.classifier.clone())
    }
}

impl<S: Clone, C, K, Completion> CircuitBreaker<S, C, K, Completion> {
    /// Returns the permit of a call, or `Ok(None)` if the call passes without being counted.
    fn admit<Req>(&mut self, request: &Req) -> Result<Option<Permit>, Box<CircuitOpen>>
    where
        K: CircuitSelector<Req>,
    {
        self.readiness.inner_polled = false;
        let Some(circuit) = self.selector.find(request) else { return Ok(None) };
        // The inner service was not polled, so it must not be called, even if the circuit has
        // closed since then.
        if self.readiness.take_rejects_next_call() {
            let error = CircuitOpen::new(&circuit, circuit.reject());
            error.report(&circuit);
            return Err(Box::new(error));
        }
        let permit = Permit::acquire(circuit).inspect_err(|_| self.inner = self.inner.clone());
        let mut permit = permit?;
        if let Some(permit) = &mut permit
            && permit.measures_latency()
        {
            permit.exclude(self.selector.body_wait(request));
        }
        Ok(permit)
    }
}

impl<S: Clone, C: Clone, K: Clone, Completion> Clone for CircuitBreaker<S, C, K, Completion> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            classifier: self.classifier.clone(),
            selector: self.selector.clone(),
            // The inner clone was not polled.
            readiness: self.readiness.for_clone(),
            completion: PhantomData,
        }
    }
}

impl<S: fmt::Debug, C, K: fmt::Debug, Completion> fmt::Debug
    for CircuitBreaker<S, C, K, Completion>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("inner", &self.inner)
            .field("selector", &self.selector)
            .finish_non_exhaustive()
    }
}
