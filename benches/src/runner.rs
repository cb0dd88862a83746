//! The measured loop of calls.

use std::{
    fmt::Debug,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
};

use bytes::{Buf, Bytes};
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use tower::Service;

use crate::request::RequestKind;

/// A prepared case.
pub trait Runner {
    /// Builds the requests of `calls` calls, outside the measured region.
    fn prepare(&mut self, calls: usize);

    /// Makes the prepared calls, inside the measured region.
    fn run(&mut self);

    /// Returns the size of the response future in bytes, or `None` if the case is not a call.
    fn future_size(&self) -> Option<usize>;
}

struct Calls<S> {
    service: S,
    kind: RequestKind,
    requests: Vec<Request<Full<Bytes>>>,
}

/// Creates a runner that calls `service`.
pub(crate) fn calls<S, B>(service: S, kind: RequestKind) -> Box<dyn Runner>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: Debug> + 'static,
    B: Body + 'static,
{
    Box::new(Calls { service, kind, requests: Vec::new() })
}

impl<S, B> Runner for Calls<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: Debug>,
    B: Body,
{
    fn prepare(&mut self, calls: usize) {
        self.requests.clear();
        self.requests.extend((0..calls).map(|_| self.kind.request()));
    }

    fn run(&mut self) {
        bench_measured_calls(&mut self.service, &mut self.requests);
    }

    fn future_size(&self) -> Option<usize> {
        Some(size_of::<S::Future>())
    }
}

/// The measured region.
#[inline(never)]
fn bench_measured_calls<S, B>(service: &mut S, requests: &mut Vec<Request<Full<Bytes>>>)
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: Debug>,
    B: Body,
{
    let mut cx = Context::from_waker(Waker::noop());
    for request in requests.drain(..) {
        call(service, request, &mut cx);
    }
}

#[inline]
pub(crate) fn call<S, B>(service: &mut S, request: Request<Full<Bytes>>, cx: &mut Context<'_>)
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: Debug>,
    B: Body,
{
    match service.poll_ready(cx) {
        Poll::Ready(Ok(())) => {}
        _ => panic!("the measured services are always ready"),
    }
    let mut future = pin!(service.call(black_box(request)));
    let response = loop {
        if let Poll::Ready(outcome) = future.as_mut().poll(cx) {
            break outcome.expect("the measured services do not fail");
        }
    };
    assert_eq!(response.status(), StatusCode::OK);
    // Reads the complete body to include the cost of layers that wrap it.
    let mut body = pin!(response.into_body());
    let mut bytes = 0;
    while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(cx) {
        let frame = frame.unwrap_or_else(|_| panic!("the measured bodies do not fail"));
        bytes += frame.data_ref().map_or(0, Buf::remaining);
    }
    assert_eq!(black_box(bytes), 2);
}
