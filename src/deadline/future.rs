use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::Response;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};

use super::{Elapsed, Phase, TimedBody};
use crate::{
    BoxError,
    time_limit::{Bounds, Whose, poll_at},
};

pin_project! {
    /// Response future of [`WithDeadline`](super::WithDeadline).
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        // `None` if the deadline had passed before the call, and once it has passed.
        #[pin]
        pub(super) inner: Option<F>,
        // Armed by the first pending poll, as in a timeout.
        #[pin]
        pub(super) timer: Option<Sleep>,
        pub(super) started: Instant,
        pub(super) at: Instant,
        pub(super) with_body: bool,
        pub(super) done: bool,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<TimedBody<B>>, BoxError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            assert!(!std::mem::replace(this.done, true), "polled after completion");
            return Poll::Ready(Err(Elapsed::new(Duration::ZERO, Phase::BeforeCall).into()));
        };

        // The response first: one that is ready beats a deadline that has passed.
        match inner.poll(cx) {
            Poll::Ready(Ok(response)) => {
                let until = this.with_body.then_some(*this.at);
                let total = until.map_or(Duration::MAX, |at| at.duration_since(*this.started));
                let bounds = Bounds { idle: Duration::MAX, until, total, whose: Whose::Deadline };
                return Poll::Ready(Ok(response.map(|body| TimedBody::new(body, bounds))));
            }
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
            Poll::Pending => {}
        }

        ready!(poll_at(this.timer, *this.at, cx));
        this.inner.set(None);
        *this.done = true;
        let limit = this.at.duration_since(*this.started);
        Poll::Ready(Err(Elapsed::new(limit, Phase::Deadline).into()))
    }
}
