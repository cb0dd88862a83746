//! What it costs to work out a 502 of which there is a head alone, as HEAD requests and empty answers have.

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
use seawall::{BadGatewayClassifierLayer, Failure};
use tower::{Layer, Service};

use crate::{Runner, classifying};

/// Answers with what was prepared.
#[derive(Debug, Default)]
struct Answers(Vec<Response<Empty<Bytes>>>);

impl Service<()> for Answers {
    type Response = Response<Empty<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        ready(Ok(self.0.pop().expect("as many as calls")))
    }
}

struct Calls<F> {
    answers: Vec<Response<Empty<Bytes>>>,
    call: F,
}

pub(crate) fn bare() -> Box<dyn Runner> {
    Box::new(Calls {
        answers: Vec::new(),
        call: |answers: Vec<_>| {
            let calls = answers.len();
            run(Answers(answers), calls);
        },
    })
}

pub(crate) fn classified() -> Box<dyn Runner> {
    let call = |answers: Vec<_>| {
        let calls = answers.len();
        run(BadGatewayClassifierLayer::new().layer(Answers(answers)), calls);
    };
    Box::new(Calls { answers: Vec::new(), call })
}

impl<F: Fn(Vec<Response<Empty<Bytes>>>)> Runner for Calls<F> {
    fn prepare(&mut self, calls: usize) {
        self.answers = (0..calls)
            .map(|_| classifying::response(StatusCode::BAD_GATEWAY, None).map(|()| Empty::new()))
            .collect();
    }

    fn run(&mut self) {
        bench_measured_failures(&self.call, std::mem::take(&mut self.answers));
    }

    fn future_size(&self) -> Option<usize> {
        None
    }
}

/// What is measured, and nothing else.
#[inline(never)]
fn bench_measured_failures<F>(call: &F, answers: Vec<Response<Empty<Bytes>>>)
where
    F: Fn(Vec<Response<Empty<Bytes>>>),
{
    call(answers);
}

fn run<S, B>(mut service: S, calls: usize)
where
    S: Service<(), Response = Response<B>, Error = Infallible>,
{
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..calls {
        let call = pin!(service.call(()));
        let Poll::Ready(Ok(response)) = call.poll(&mut cx) else { panic!("it is ready") };
        black_box(response.extensions().get::<Failure>());
    }
}
