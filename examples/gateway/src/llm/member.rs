//! One upstream among those of a service, as a balancer sees it.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use http::Response;
use http_body::{Frame, SizeHint};
use seawall::{
    BoxError, Classify, HttpClassifier,
    circuit_breaker::{Circuit, State},
};
use tokio::time::Instant;
use tower::{
    Service,
    load::{Load, PendingRequests, completion::TrackCompletion, pending_requests},
    util::BoxService,
};

use super::pool::Outgoing;

/// The longest time that an upstream's `Retry-After` keeps requests away from it.
const REST_MAX: Duration = Duration::from_secs(60);

/// How long to wait for a circuit that does not say when it will let a call pass: all of its probes are under way.
const PROBING: Duration = Duration::from_secs(1);

/// What is known of an upstream. Clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    circuit: Circuit,
    /// Until then it wants no requests.
    rests: Arc<Mutex<Option<Instant>>>,
}

impl Condition {
    pub(super) fn new(circuit: Circuit) -> Self {
        Self { circuit, rests: Arc::default() }
    }

    /// Whether a request may be sent to it right now.
    pub(super) fn is_fit(&self) -> bool {
        !self.rests() && !matches!(self.circuit.state(), State::Open | State::ForcedOpen)
    }

    /// How long its circuit will refuse calls.
    pub(super) fn refuses_for(&self) -> Duration {
        self.circuit.snapshot().next_probe().unwrap_or(PROBING)
    }

    fn rests(&self) -> bool {
        let mut rests = self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        *rests = rests.filter(|until| *until > Instant::now());
        rests.is_some()
    }

    fn rest_for(&self, wait: Duration) {
        let until = Instant::now() + wait.min(REST_MAX);
        let mut rests = self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        *rests = (*rests).max(Some(until));
    }
}

/// An upstream that counts the requests under way, and remembers until when it wants no more of them.
pub(super) struct Member {
    service: PendingRequests<BoxService<Outgoing, Response<Body>, BoxError>, UntilBodyEnds>,
    condition: Condition,
}

impl Member {
    pub(super) fn new(
        service: BoxService<Outgoing, Response<Body>, BoxError>,
        condition: Condition,
    ) -> Self {
        let completion = UntilBodyEnds(condition.clone());
        Self { service: PendingRequests::new(service, completion), condition }
    }
}

/// One that rests is preferred to none, and any other to it. It is not "not ready": a rate limit may be that of one model
/// among many, and where there is no other upstream, whoever asks for another one should reach it.
impl Load for Member {
    type Metric = (bool, pending_requests::Count);

    fn load(&self) -> Self::Metric {
        (self.condition.rests(), self.service.load())
    }
}

impl Service<Outgoing> for Member {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = <PendingRequests<
        BoxService<Outgoing, Response<Body>, BoxError>,
        UntilBodyEnds,
    > as Service<Outgoing>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Outgoing) -> Self::Future {
        self.service.call(request)
    }
}

/// A request is under way until the body of its response has ended: of a streamed one, the head is but the beginning.
#[derive(Clone, Debug)]
pub(super) struct UntilBodyEnds(Condition);

type Handle = pending_requests::Handle;

impl TrackCompletion<Handle, Response<Body>> for UntilBodyEnds {
    type Output = Response<Body>;

    fn track_completion(&self, handle: Handle, response: Response<Body>) -> Response<Body> {
        let failure = HttpClassifier::new().classify(Ok(&response));
        if let Some(wait) = failure.and_then(|failure| failure.retry_after()) {
            self.0.rest_for(wait);
        }
        if response.body().is_end_stream() {
            return response;
        }
        response.map(|body| Body::new(UnderWay { body, handle: Some(handle) }))
    }
}

struct UnderWay {
    body: Body,
    handle: Option<Handle>,
}

impl HttpBody for UnderWay {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) || self.body.is_end_stream() {
            self.handle = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
