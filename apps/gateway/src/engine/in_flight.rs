//! The number of requests in flight at an endpoint.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use http::{Response, StatusCode};
use http_body::{Frame, SizeHint};
use seawall::BoxError;
use tokio::time::{Sleep, sleep};

use super::health::EndpointHealth;
use crate::forward::TunnelGuard;

/// The delay of a body error, in which hyper writes the data that precedes it.
const FLUSH_DELAY: Duration = Duration::from_millis(100);

/// The number of requests in flight, shared by clones.
#[derive(Clone, Debug, Default)]
pub(super) struct InFlightCount(Arc<AtomicUsize>);

impl InFlightCount {
    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts a request until the guard is dropped.
    pub(super) fn start(&self) -> InFlightGuard {
        self.0.fetch_add(1, Ordering::Relaxed);
        InFlightGuard(Arc::clone(&self.0))
    }
}

#[derive(Debug)]
pub(super) struct InFlightGuard(Arc<AtomicUsize>);

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts the request as in flight until the response body or the tunnel ends.
pub(super) fn hold_until_body_end<B>(
    mut response: Response<B>,
    guard: InFlightGuard,
    health: EndpointHealth,
) -> Response<Body>
where
    B: HttpBody<Data = Bytes, Error = BoxError> + Send + Unpin + 'static,
{
    let mut in_flight = None;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        response.extensions_mut().insert(TunnelGuard::new(guard));
    } else if !response.body().is_end_stream() {
        in_flight = Some((guard, health));
    }
    // Boxed, because the layers outside move the response many times.
    response.map(|body| Body::new(InFlightBody { body, in_flight, delayed_error: None }))
}

struct InFlightBody<B> {
    body: B,
    in_flight: Option<(InFlightGuard, EndpointHealth)>,
    delayed_error: Option<(BoxError, Pin<Box<Sleep>>)>,
}

impl<B> HttpBody for InFlightBody<B>
where
    B: HttpBody<Data = Bytes, Error = BoxError> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
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
            health.record_body_error(&*error);
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
