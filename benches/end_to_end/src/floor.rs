//! The least that is left of a stack which may send a request again and has a limit: a copy of the request is kept until the
//! response is there, and a timer is armed once it has to be waited for. What this costs, no such stack can do without.

use std::{
    hint::black_box,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::Request;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};
use tower::Service;

#[derive(Clone)]
pub(crate) struct Floor<S> {
    pub(crate) inner: S,
    pub(crate) limit: Duration,
}

pin_project! {
    pub(crate) struct FloorFuture<F, B> {
        #[pin]
        inner: F,
        kept: Request<B>,
        #[pin]
        timer: Option<Sleep>,
        limit: Duration,
    }
}

impl<S, B> Service<Request<B>> for Floor<S>
where
    S: Service<Request<B>>,
    B: Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = FloorFuture<S::Future, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let kept = request.clone();
        FloorFuture { inner: self.inner.call(request), kept, timer: None, limit: self.limit }
    }
}

impl<F: Future, B> Future for FloorFuture<F, B> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if let Poll::Ready(outcome) = this.inner.poll(cx) {
            black_box(&*this.kept);
            return Poll::Ready(outcome);
        }
        if this.timer.is_none() {
            this.timer.set(Some(sleep(*this.limit)));
        }
        ready!(this.timer.as_pin_mut().expect("just made").poll(cx));
        panic!("too late: nothing here takes that long");
    }
}
