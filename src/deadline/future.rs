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
        inner: Option<F>,
        // Armed by the first pending poll, as in a timeout.
        #[pin]
        timer: Option<Sleep>,
        // `None`: as long as it likes.
        limit: Option<Limit>,
        done: bool,
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) started: Instant,
    pub(super) at: Instant,
    pub(super) with_body: bool,
}

impl<F> ResponseFuture<F> {
    pub(super) const fn new(inner: Option<F>, limit: Option<Limit>) -> Self {
        Self { inner, timer: None, limit, done: false }
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
                let bounds = bounds(*this.limit);
                return Poll::Ready(Ok(response.map(|body| TimedBody::new(body, bounds))));
            }
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
            Poll::Pending => {}
        }

        let Some(limit) = this.limit else { return Poll::Pending };
        ready!(poll_at(this.timer, limit.at, cx));
        this.inner.set(None);
        *this.done = true;
        Poll::Ready(Err(Elapsed::new(limit.total(), Phase::Deadline).into()))
    }
}

impl Limit {
    fn total(self) -> Duration {
        self.at.duration_since(self.started)
    }
}

/// What the body may take by the deadline.
#[inline]
fn bounds(limit: Option<Limit>) -> Bounds {
    let limit = limit.filter(|limit| limit.with_body);
    Bounds {
        idle: Duration::MAX,
        until: limit.map(|limit| limit.at),
        total: limit.map_or(Duration::MAX, Limit::total),
        whose: Whose::Deadline,
    }
}
