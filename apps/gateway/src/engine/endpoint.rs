//! One endpoint of a service, for the balancer.

use axum::body::Body;
use http::Response;
use seawall::BoxError;
use tower::{Service, util::BoxCloneSyncService};

use super::{
    balancer::UpstreamRequest,
    health::EndpointHealth,
    in_flight::{InFlightCount, hold_until_body_end},
    scripted::ScriptedUpstream,
};

/// The client stack of an endpoint.
pub(super) type EndpointStack = BoxCloneSyncService<UpstreamRequest, Response<Body>, BoxError>;

/// An upstream with its client stack. Its load is its number of requests in flight.
#[derive(Debug)]
pub(super) struct Endpoint {
    stack: EndpointStack,
    pub(super) health: EndpointHealth,
    pub(super) in_flight: InFlightCount,
    /// Runs as long as the endpoint. A call of an earlier configuration keeps its endpoints until it
    /// has a response.
    _scripted: Option<ScriptedUpstream>,
}

impl Endpoint {
    pub(super) fn new(stack: EndpointStack, health: EndpointHealth) -> Self {
        Self { stack, health, in_flight: InFlightCount::default(), _scripted: None }
    }

    pub(super) fn with_scripted_upstream(self, scripted: Option<ScriptedUpstream>) -> Self {
        Self { _scripted: scripted, ..self }
    }

    pub(super) fn load(&self) -> usize {
        self.in_flight.get()
    }

    pub(super) fn stack(&self) -> EndpointStack {
        self.stack.clone()
    }

    /// Sends a request with a stack of this endpoint that is ready.
    pub(super) async fn send(
        &self,
        mut ready: EndpointStack,
        request: UpstreamRequest,
    ) -> Result<Response<Body>, BoxError> {
        let in_flight = self.in_flight.start();
        self.health.on_request_start();
        let response = ready.call(request).await?;
        Ok(hold_until_body_end(response, in_flight, self.health.clone()))
    }
}
