//! Load balancing among the endpoints of a service.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::Body;
use futures_util::{
    FutureExt,
    future::{self, Either, Ready},
};
use http::{Request, Response};
use seawall::{
    BoxError,
    circuit_breaker::CircuitOpen,
    classify::{Classify, HttpClassifier},
    find_source,
    retry::ReplayBody,
};
use tower::{Service, ServiceExt};

use super::{
    choice::choose,
    endpoint::{Endpoint, EndpointStack},
    health::EndpointHealth,
    in_flight::{InFlightGuard, hold_until_body_end},
    rejection::Rejection,
};

/// A request to an endpoint, with a body that can be replayed.
pub(super) type UpstreamRequest = Request<ReplayBody<Body>>;

/// Sends each request to the less loaded of two random available endpoints.
///
/// `tower::balance` is not used: it cannot be cloned, so all requests would pass through the queue
/// and the task of a `tower::buffer`.
///
/// # Clone
///
/// Clones share the endpoints.
#[derive(Debug)]
pub(super) struct Balancer<S> {
    endpoints: Arc<[Endpoint<S>]>,
}

impl<S> Clone for Balancer<S> {
    fn clone(&self) -> Self {
        Self { endpoints: Arc::clone(&self.endpoints) }
    }
}

impl<S: EndpointStack> Balancer<S> {
    pub(super) fn new(endpoints: Vec<Endpoint<S>>) -> Self {
        Self { endpoints: endpoints.into() }
    }

    /// Returns an endpoint and its stack, which is ready. Prefers endpoints out of their cooldown.
    ///
    /// # Errors
    /// Returns a rejection if the circuit of every endpoint is open.
    fn ready_endpoint(&self) -> Result<(&Endpoint<S>, S), Rejection> {
        let is_available = |index: &usize| self.endpoints[*index].health.is_available();
        let (available, cooling_down): (Vec<_>, Vec<_>) =
            (0..self.endpoints.len()).partition(is_available);
        for mut candidates in [available, cooling_down] {
            let load = |index: usize| self.endpoints[index].load();
            while let Some(index) = choose(&candidates, load, |below| fastrand::usize(..below)) {
                let endpoint = &self.endpoints[index];
                let mut stack = endpoint.stack();
                if let Some(Ok(_)) = stack.ready().now_or_never() {
                    return Ok((endpoint, stack));
                }
                // The circuit is open, or all its probes are in flight.
                candidates.retain(|candidate| *candidate != index);
            }
        }
        let waits = self.endpoints.iter().map(|endpoint| endpoint.health.time_to_next_probe());
        Err(Rejection::all_circuits_open(waits.min().unwrap_or_default()))
    }

    fn has_available_endpoint(&self) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.health.is_available())
    }

    /// Clears the wait before a retry if another endpoint is available.
    ///
    /// The response keeps its `Retry-After` header for the caller.
    fn allow_immediate_retry(&self, mut response: Response<Body>) -> Response<Body> {
        let failure = HttpClassifier::new().classify(Ok(&response));
        if let Some(failure) = failure.filter(|failure| failure.retry_after().is_some())
            && self.has_available_endpoint()
        {
            response.extensions_mut().insert(failure.with_retry_after(None));
        }
        response
    }

    /// Lets a retry use another endpoint if the circuit opened after the choice.
    fn map_error(&self, error: BoxError) -> BoxError {
        let circuit_open = find_source::<CircuitOpen>(&*error).is_some();
        if circuit_open && self.has_available_endpoint() {
            return Rejection::endpoint_unavailable().into();
        }
        error
    }
}

impl<S: EndpointStack> Service<UpstreamRequest> for Balancer<S> {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Either<ResponseFuture<S>, Ready<Result<Response<Body>, BoxError>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: UpstreamRequest) -> Self::Future {
        let (endpoint, mut stack) = match self.ready_endpoint() {
            Ok(ready) => ready,
            Err(rejection) => return Either::Right(future::ready(Err(rejection.into()))),
        };
        Either::Left(ResponseFuture {
            in_flight: Some((endpoint.start(), endpoint.health.clone())),
            // Boxed, because the layers outside move the future many times.
            call: Box::pin(stack.call(request)),
            balancer: self.clone(),
        })
    }
}

/// A call to an endpoint.
pub(super) struct ResponseFuture<S: EndpointStack> {
    call: Pin<Box<S::Future>>,
    /// `None` after completion.
    in_flight: Option<(InFlightGuard, EndpointHealth)>,
    balancer: Balancer<S>,
}

impl<S: EndpointStack> Future for ResponseFuture<S> {
    type Output = Result<Response<Body>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = ready!(self.call.as_mut().poll(cx));
        let (guard, health) = self.in_flight.take().expect("polled after completion");
        Poll::Ready(match outcome {
            Ok(response) => {
                let response = hold_until_body_end(response, guard, health);
                Ok(self.balancer.allow_immediate_retry(response))
            }
            Err(error) => Err(self.balancer.map_error(error)),
        })
    }
}
