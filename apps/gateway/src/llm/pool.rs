//! The upstreams of a service, as one service that is never busy.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body;
use http::{Request, Response};
use seawall::{
    BoxError, Classify, HttpClassifier, circuit_breaker::CircuitOpen, find_source,
    retry::ReplayBody,
};
use tower::{
    Service,
    balance::p2c::Balance,
    buffer::Buffer,
    discover::ServiceList,
    load_shed::{LoadShed, error::Overloaded},
};

use super::{condition::Condition, member::Member, refusal::Refusal};

/// A request on its way to one of them.
pub(super) type Outgoing = Request<ReplayBody<Body>>;

/// So many requests may wait for the balancer's task, which passes each on at once.
const QUEUE: usize = 1_024;

type Balanced = LoadShed<Balance<ServiceList<Vec<Member>>, Outgoing>>;

/// Sends each request to the less loaded of two upstreams, chosen by chance among those that are ready.
///
/// An upstream whose circuit is open is not ready. If none is, `LoadShed` refuses the request at once, where the balancer
/// would let it wait for as long as that takes.
#[derive(Clone)]
pub(super) struct Pool {
    balanced: Buffer<Outgoing, <Balanced as Service<Outgoing>>::Future>,
    conditions: Arc<[Condition]>,
}

impl Pool {
    pub(super) fn new(members: Vec<Member>, conditions: Arc<[Condition]>) -> Self {
        let balanced = LoadShed::new(Balance::new(ServiceList::new::<Outgoing>(members)));
        Self { balanced: Buffer::new(balanced, QUEUE), conditions }
    }
}

impl Service<Outgoing> for Pool {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.balanced.poll_ready(cx)
    }

    fn call(&mut self, request: Outgoing) -> Self::Future {
        let call = self.balanced.call(request);
        let conditions = Arc::clone(&self.conditions);
        Box::pin(async move {
            match call.await {
                Ok(response) => Ok(no_wait_for_others(response, &conditions)),
                Err(error) => Err(explained(error, &conditions)),
            }
        })
    }
}

/// What one upstream asks to wait binds no other: while another one can be asked, a retry need not wait. The caller is
/// told what the upstream said all the same.
fn no_wait_for_others(mut response: Response<Body>, all: &[Condition]) -> Response<Body> {
    let failure = HttpClassifier::new().classify(Ok(&response));
    if let Some(failure) = failure.filter(|failure| failure.retry_after().is_some())
        && all.iter().any(Condition::is_fit)
    {
        response.extensions_mut().insert(failure.with_retry_after(None));
    }
    response
}

fn explained(error: BoxError, all: &[Condition]) -> BoxError {
    let refused = find_source::<CircuitOpen>(&*error).is_some();
    if refused && all.iter().any(Condition::is_fit) {
        return Refusal::elsewhere().into();
    }
    if refused || find_source::<Overloaded>(&*error).is_some() {
        let soonest = all.iter().map(Condition::refuses_for).min();
        return Refusal::all_open(soonest.unwrap_or_default()).into();
    }
    error
}
