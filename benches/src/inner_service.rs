//! The inner services of the measured layers.

use std::{
    convert::Infallible,
    future::{self, Future},
    hint::black_box,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use tower::Service;

type Outcome = Result<Response<Full<Bytes>>, Infallible>;

/// A service whose response is ready at the first poll.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready;

/// A service whose response is ready at the second poll, the best case of a network call.
///
/// A timeout layer arms its timer only for a pending response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PendingOnce;

#[derive(Debug)]
pub(crate) struct Pending {
    outcome: Option<Outcome>,
    polled: bool,
}

impl<B: Body> Service<Request<B>> for Ready {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = future::Ready<Outcome>;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        future::ready(Ok(respond(request)))
    }
}

impl<B: Body> Service<Request<B>> for PendingOnce {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pending;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Pending {
        Pending { outcome: Some(Ok(respond(request))), polled: false }
    }
}

impl Future for Pending {
    type Output = Outcome;

    // Registers no waker, because the benchmark polls again anyway.
    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Outcome> {
        if !self.polled {
            self.polled = true;
            return Poll::Pending;
        }
        Poll::Ready(self.outcome.take().expect("polled after completion"))
    }
}

#[inline]
fn respond<B: Body>(request: Request<B>) -> Response<Full<Bytes>> {
    black_box(&request);
    let mut body = pin!(request.into_body());
    let mut cx = Context::from_waker(Waker::noop());
    // hyper does not poll a body after its end either.
    while !body.is_end_stream() {
        match body.as_mut().poll_frame(&mut cx) {
            Poll::Ready(Some(frame)) => drop(black_box(frame)),
            Poll::Ready(None) => break,
            Poll::Pending => unreachable!("the measured request bodies are always ready"),
        }
    }
    Response::new(Full::new(Bytes::from_static(b"ok")))
}
