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
pub(crate) struct Limit {
    pub(crate) started: Instant,
    pub(super) at: Instant,
    pub(super) with_body: bool,
}

impl<F> ResponseFuture<F> {
    #[inline]
    pub(crate) const fn new(inner: Option<F>, limit: Option<Limit>) -> Self {
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
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.as_mut().project();
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(Err(too_late(this.done)));
        };
        // The response first: one that is ready beats a deadline that has passed.
        match inner.poll(cx) {
            Poll::Ready(Ok(response)) => {
                let bounds = bounds(*this.limit).unwrap_or(Bounds::NONE);
                Poll::Ready(Ok(response.map(|body| TimedBody::new(body, bounds))))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
            Poll::Pending => self.poll_limit(cx).map(Err),
        }
    }
}

impl<F> ResponseFuture<F> {
    /// Drops the inner future when the limit has passed.
    fn poll_limit(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<BoxError> {
        let mut this = self.project();
        let Some(limit) = this.limit else { return Poll::Pending };
        ready!(poll_at(this.timer, limit.at, cx));
        this.inner.set(None);
        *this.done = true;
        Poll::Ready(Elapsed::new(limit.total(), Phase::Deadline).into())
    }
}

#[cold]
fn too_late(done: &mut bool) -> BoxError {
    assert!(!std::mem::replace(done, true), "polled after completion");
    Elapsed::new(Duration::ZERO, Phase::BeforeCall).into()
}

impl Limit {
    fn total(self) -> Duration {
        self.at.duration_since(self.started)
    }
}

/// What the body may take by the deadline; `None`: as long as it likes.
#[inline]
fn bounds(limit: Option<Limit>) -> Option<Bounds> {
    let limit = limit.filter(|limit| limit.with_body)?;
    Some(Bounds::new(Duration::MAX, limit.total(), Some(limit.at), Whose::Deadline))
}
