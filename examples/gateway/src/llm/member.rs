//! One upstream among those of a service, as a balancer sees it.

use std::{
    error::Error,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use http::Response;
use http_body::{Frame, SizeHint};
use seawall::{
    BoxError, Cause, Classify, HttpClassifier,
    circuit_breaker::{Circuit, CircuitOpen, State},
    find_source,
};
use tokio::time::{Instant, Sleep, sleep};
use tower::{
    Service,
    load::{Load, PendingRequests, completion::TrackCompletion, pending_requests},
    util::BoxService,
};

use super::pool::Outgoing;

/// How long an upstream that failed, and does not say for how long, is passed over where there is another: so that the retry
/// of a request meets another one, however few failures a circuit has counted.
const REST: Duration = Duration::from_secs(1);

/// The longest time that an upstream's `Retry-After` keeps requests away from it.
const REST_MAX: Duration = Duration::from_secs(60);

/// By so much the error of a stream that breaks off is delayed.
const TIME_TO_WRITE: Duration = Duration::from_millis(100);

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

    /// Learns from an outcome.
    pub(super) fn note(&self, outcome: Result<&Response<Body>, &BoxError>) {
        // What was not sent to it says nothing of it.
        if outcome.is_err_and(|error| find_source::<CircuitOpen>(&**error).is_some()) {
            return;
        }
        let outcome = outcome.map_err(|error| &**error as &(dyn Error + 'static));
        let Some(failure) = HttpClassifier::new().classify(outcome) else { return };
        match (failure.retry_after(), failure.cause()) {
            (Some(wait), _) => self.rest_for(wait),
            (None, Cause::ClientError | Cause::Conflict) => {}
            (None, _) => self.rest_for(REST),
        }
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
        if response.body().is_end_stream() {
            return response;
        }
        let under_way = (handle, self.0.clone());
        response.map(|body| Body::new(UnderWay { body, under_way: Some(under_way), error: None }))
    }
}

struct UnderWay {
    body: Body,
    under_way: Option<(Handle, Condition)>,
    /// To be told after a while.
    error: Option<(axum::Error, Pin<Box<Sleep>>)>,
}

impl HttpBody for UnderWay {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some((_, sleep)) = &mut self.error {
            ready!(sleep.as_mut().poll(cx));
        }
        if let Some((error, _)) = self.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None)) || self.body.is_end_stream() {
            self.under_way = None;
        }
        let Poll::Ready(Some(Err(error))) = polled else { return polled };
        if let Some((_, condition)) = self.under_way.take() {
            condition.rest_for(REST);
        }
        // At an error, hyper's server drops what it has not written yet, which may be all that came before, head and all. It
        // writes when it has to wait; over HTTP/2, another task does.
        self.error = Some((error, Box::pin(sleep(TIME_TO_WRITE))));
        self.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.error.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
