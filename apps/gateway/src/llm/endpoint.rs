//! One endpoint of a service, for the balancer.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use http::{Response, StatusCode};
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

use super::{balancer::UpstreamRequest, health::HealthView};
use crate::forward::TunnelGuard;

/// The delay of a body error, in which hyper writes the data that precedes it.
const FLUSH_DELAY: Duration = Duration::from_millis(100);

type Inner =
    PendingRequests<BoxService<UpstreamRequest, Response<Body>, BoxError>, CompleteOnBodyEnd>;

/// A service that is not ready during its cooldown. Its load is its number of requests in flight.
pub(super) struct Endpoint {
    inner: Inner,
    health: HealthView,
    cooldown: Option<Pin<Box<Sleep>>>,
}

impl Endpoint {
    pub(super) fn new(
        service: BoxService<UpstreamRequest, Response<Body>, BoxError>,
        health: HealthView,
    ) -> Self {
        let inner = PendingRequests::new(service, CompleteOnBodyEnd(health.clone()));
        Self { inner, health, cooldown: None }
    }
}

impl Load for Endpoint {
    type Metric = pending_requests::Count;

    fn load(&self) -> Self::Metric {
        self.inner.load()
    }
}

impl Service<UpstreamRequest> for Endpoint {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = <Inner as Service<UpstreamRequest>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        while let Some(until) = self.health.unavailable_until(cx) {
            let cooldown = self.cooldown.insert(Box::pin(sleep_until(until)));
            // Without `unconstrained`, an exhausted coop budget would prolong the cooldown.
            ready!(Pin::new(&mut unconstrained(cooldown)).poll(cx));
        }
        self.cooldown = None;
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: UpstreamRequest) -> Self::Future {
        self.health.on_request_start();
        self.inner.call(request)
    }
}

/// Counts a request as in flight until its response body ends, because the body may be a stream.
#[derive(Clone, Debug)]
pub(super) struct CompleteOnBodyEnd(HealthView);

type InFlightHandle = pending_requests::Handle;

impl TrackCompletion<InFlightHandle, Response<Body>> for CompleteOnBodyEnd {
    type Output = Response<Body>;

    fn track_completion(
        &self,
        handle: InFlightHandle,
        mut response: Response<Body>,
    ) -> Response<Body> {
        let in_flight = (handle, self.0.clone());
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            response.extensions_mut().insert(TunnelGuard::new(in_flight));
            return response;
        }
        if response.body().is_end_stream() {
            return response;
        }
        let in_flight = Some(in_flight);
        response.map(|body| Body::new(InFlightBody { body, in_flight, delayed_error: None }))
    }
}

struct InFlightBody {
    body: Body,
    in_flight: Option<(InFlightHandle, HealthView)>,
    delayed_error: Option<(axum::Error, Pin<Box<Sleep>>)>,
}

impl HttpBody for InFlightBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some((_, delay)) = &mut self.delayed_error {
            ready!(delay.as_mut().poll(cx));
        }
        if let Some((error, _)) = self.delayed_error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None)) || self.body.is_end_stream() {
            self.in_flight = None;
        }
        let Poll::Ready(Some(Err(error))) = polled else { return polled };
        if let Some((_, health)) = self.in_flight.take() {
            health.record_failure();
        }
        // On a body error, hyper's server drops all unwritten data, possibly including the head.
        // The delay lets hyper write the data first.
        self.delayed_error = Some((error, Box::pin(sleep(FLUSH_DELAY))));
        self.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.delayed_error.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
