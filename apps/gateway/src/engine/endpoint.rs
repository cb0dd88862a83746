//! One endpoint of a service, for the balancer.

use axum::body::{Bytes, HttpBody};
use http::Response;
use seawall::BoxError;
use tower::Service;

use super::{
    balancer::UpstreamRequest,
    health::EndpointHealth,
    in_flight::{InFlightCount, InFlightGuard},
    scripted::ScriptedUpstream,
};

/// The client stack of an endpoint.
pub(super) trait EndpointStack:
    Service<UpstreamRequest, Response = Response<Self::Body>, Error = BoxError, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
    type Body: HttpBody<Data = Bytes, Error = BoxError> + Send + Unpin + 'static;
}

impl<S, B> EndpointStack for S
where
    S: Service<UpstreamRequest, Response = Response<B>, Error = BoxError, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
    B: HttpBody<Data = Bytes, Error = BoxError> + Send + Unpin + 'static,
{
    type Body = B;
}

/// An upstream with its client stack. Its load is its number of requests in flight.
#[derive(Debug)]
pub(super) struct Endpoint<S> {
    stack: S,
    pub(super) health: EndpointHealth,
    pub(super) in_flight: InFlightCount,
    /// Runs as long as the endpoint. A call of an earlier configuration keeps its endpoints until it
    /// has a response.
    _scripted: Option<ScriptedUpstream>,
}

impl<S: EndpointStack> Endpoint<S> {
    pub(super) fn new(stack: S, health: EndpointHealth) -> Self {
        Self { stack, health, in_flight: InFlightCount::default(), _scripted: None }
    }

    pub(super) fn with_scripted_upstream(self, scripted: Option<ScriptedUpstream>) -> Self {
        Self { _scripted: scripted, ..self }
    }

    pub(super) fn load(&self) -> usize {
        self.in_flight.get()
    }

    pub(super) fn stack(&self) -> S {
        self.stack.clone()
    }

    /// Counts a request that is about to be sent as in flight.
    pub(super) fn start(&self) -> InFlightGuard {
        self.health.on_request_start();
        self.in_flight.start()
    }
}
