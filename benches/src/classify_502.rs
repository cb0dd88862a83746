//! The cost of `BadGatewayClassifier` on a 502 without a body, as the response to a HEAD request.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Empty;
use seawall::{Failure, bad_gateway::BadGatewayClassifierLayer};
use tower::{Layer, Service};

use crate::{Runner, classify};

/// A service that returns prepared responses.
#[derive(Debug, Default)]
struct PreparedResponses(Vec<Response<Empty<Bytes>>>);

impl Service<()> for PreparedResponses {
    type Response = Response<Empty<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        ready(Ok(self.0.pop().expect("a prepared response per call")))
    }
}

struct PreparedRunner<F> {
    responses: Vec<Response<Empty<Bytes>>>,
    call: F,
}

pub(crate) fn bare() -> Box<dyn Runner> {
    Box::new(PreparedRunner {
        responses: Vec::new(),
        call: |responses: Vec<_>| {
            let calls = responses.len();
            run(PreparedResponses(responses), calls);
        },
    })
}

pub(crate) fn classified() -> Box<dyn Runner> {
    let call = |responses: Vec<_>| {
        let calls = responses.len();
        run(BadGatewayClassifierLayer::new().layer(PreparedResponses(responses)), calls);
    };
    Box::new(PreparedRunner { responses: Vec::new(), call })
}

impl<F: Fn(Vec<Response<Empty<Bytes>>>)> Runner for PreparedRunner<F> {
    fn prepare(&mut self, calls: usize) {
        self.responses = (0..calls)
            .map(|_| classify::response(StatusCode::BAD_GATEWAY, None).map(|()| Empty::new()))
            .collect();
    }

    fn run(&mut self) {
        bench_measured_failures(&self.call, std::mem::take(&mut self.responses));
    }

    fn future_size(&self) -> Option<usize> {
        None
    }
}

/// The measured region.
#[inline(never)]
fn bench_measured_failures<F>(call: &F, responses: Vec<Response<Empty<Bytes>>>)
where
    F: Fn(Vec<Response<Empty<Bytes>>>),
{
    call(responses);
}

fn run<S, B>(mut service: S, calls: usize)
where
    S: Service<(), Response = Response<B>, Error = Infallible>,
{
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..calls {
        let call = pin!(service.call(()));
        let Poll::Ready(Ok(response)) = call.poll(&mut cx) else {
            panic!("the measured service is always ready")
        };
        black_box(response.extensions().get::<Failure>());
    }
}
