//! One upstream among those of a service, as a balancer sees it.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use http::Response;
use http_body::{Frame, SizeHint};
use seawall::BoxError;
use tokio::{
    task::coop::unconstrained,
    time::{Sleep, sleep, sleep_until},
};
use tower::{
    Service,
    load::{Load, PendingRequests, completion::TrackCompletion, pending_requests},
    util::BoxService,
};

use super::{condition::Place, pool::Outgoing};

/// By so much the error of a stream that breaks off is delayed.
const TIME_TO_WRITE: Duration = Duration::from_millis(100);

type Counted = PendingRequests<BoxService<Outgoing, Response<Body>, BoxError>, UntilBodyEnds>;

/// An upstream whose load is the number of its requests under way, and which is not ready while it rests and another
/// does not.
pub(super) struct Member {
    counted: Counted,
    place: Place,
    rest: Option<Pin<Box<Sleep>>>,
}

impl Member {
    pub(super) fn new(
        service: BoxService<Outgoing, Response<Body>, BoxError>,
        place: Place,
    ) -> Self {
        let counted = PendingRequests::new(service, UntilBodyEnds(place.clone()));
        Self { counted, place, rest: None }
    }
}

impl Load for Member {
    type Metric = pending_requests::Count;

    fn load(&self) -> Self::Metric {
        self.counted.load()
    }
}

impl Service<Outgoing> for Member {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = <Counted as Service<Outgoing>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        while let Some(until) = self.place.rests_until(cx) {
            let rest = self.rest.insert(Box::pin(sleep_until(until)));
            // A busy balancer must not take it for one that rests longer.
            ready!(Pin::new(&mut unconstrained(rest)).poll(cx));
        }
        self.rest = None;
        self.counted.poll_ready(cx)
    }

    fn call(&mut self, request: Outgoing) -> Self::Future {
        self.place.takes_one();
        self.counted.call(request)
    }
}

/// A request is under way until the body of its response has ended: of a streamed one, the head is but the beginning.
#[derive(Clone, Debug)]
pub(super) struct UntilBodyEnds(Place);

type Handle = pending_requests::Handle;

impl TrackCompletion<Handle, Response<Body>> for UntilBodyEnds {
    type Output = Response<Body>;

    fn track_completion(&self, handle: Handle, response: Response<Body>) -> Response<Body> {
        if response.body().is_end_stream() {
            return response;
        }
        let held = (handle, self.0.clone());
        response.map(|body| Body::new(UnderWay { body, held: Some(held), error: None }))
    }
}

struct UnderWay {
    body: Body,
    held: Option<(Handle, Place)>,
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
            self.held = None;
        }
        let Poll::Ready(Some(Err(error))) = polled else { return polled };
        if let Some((_, place)) = self.held.take() {
            place.fails();
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
