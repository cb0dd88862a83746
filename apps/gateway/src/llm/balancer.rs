//! Load balancing among the endpoints of a service.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body;
use http::{Request, Response};
use seawall::{
    BoxError,
    circuit_breaker::CircuitOpen,
    classify::{Classify, HttpClassifier},
    find_source,
    retry::ReplayBody,
};
use tower::{
    Service,
    balance::p2c::Balance,
    buffer::Buffer,
    discover::ServiceList,
    load_shed::{LoadShed, error::Overloaded},
};

use super::{endpoint::Endpoint, health::EndpointHealth, rejection::Rejection};

/// A request to an endpoint, with a body that can be replayed.
pub(super) type UpstreamRequest = Request<ReplayBody<Body>>;

/// The capacity of the queue to the task that dispatches requests.
const QUEUE_CAPACITY: usize = 1_024;

type Inner = LoadShed<Balance<ServiceList<Vec<Endpoint>>, UpstreamRequest>>;

/// Sends each request to the less loaded of two random ready endpoints (power of two choices).
///
/// An endpoint is not ready while its circuit is open. If no endpoint is ready, `LoadShed` rejects
/// the request. `Balance` alone would wait until an endpoint becomes ready.
#[derive(Clone)]
pub(super) struct Balancer {
    inner: Buffer<UpstreamRequest, <Inner as Service<UpstreamRequest>>::Future>,
    health: Arc<[EndpointHealth]>,
}

impl Balancer {
    pub(super) fn new(endpoints: Vec<Endpoint>, health: Arc<[EndpointHealth]>) -> Self {
        let balance = Balance::new(ServiceList::new::<UpstreamRequest>(endpoints));
        Self { inner: Buffer::new(LoadShed::new(balance), QUEUE_CAPACITY), health }
    }
}

impl Service<UpstreamRequest> for Balancer {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: UpstreamRequest) -> Self::Future {
        let call = self.inner.call(request);
        let health = Arc::clone(&self.health);
        Box::pin(async move {
            match call.await {
                Ok(response) => Ok(allow_immediate_retry(response, &health)),
                Err(error) => Err(map_error(error, &health)),
            }
        })
    }
}

/// Clears the wait before a retry if another endpoint is available.
///
/// The response keeps its `Retry-After` header for the caller.
fn allow_immediate_retry(
    mut response: Response<Body>,
    endpoints: &[EndpointHealth],
) -> Response<Body> {
    let failure = HttpClassifier::new().classify(Ok(&response));
    if let Some(failure) = failure.filter(|failure| failure.retry_after().is_some())
        && endpoints.iter().any(EndpointHealth::is_available)
    {
        response.extensions_mut().insert(failure.with_retry_after(None));
    }
    response
}

fn map_error(error: BoxError, endpoints: &[EndpointHealth]) -> BoxError {
    let circuit_open = find_source::<CircuitOpen>(&*error).is_some();
    if circuit_open && endpoints.iter().any(EndpointHealth::is_available) {
        return Rejection::endpoint_unavailable().into();
    }
    if circuit_open || find_source::<Overloaded>(&*error).is_some() {
        let wait = endpoints.iter().map(EndpointHealth::time_to_next_probe).min();
        return Rejection::all_circuits_open(wait.unwrap_or_default()).into();
    }
    error
}
