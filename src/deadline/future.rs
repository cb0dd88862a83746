use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::Response;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};

use super::{Elapsed, Phase, TimedBody};
#[cfg(feature = "standard")]
use crate::poll_into::PollInto;
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
    /// As [`PollInto`], but has `bound` bound the body of the response, if the deadline does.
    #[cfg(feature = "standard")]
    #[inline]
    pub(crate) fn poll_into<R>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        polled: &mut Poll<Result<R, BoxError>>,
        bound: impl FnOnce(&mut R, Bounds),
    ) where
        F: PollInto<Output = Result<R, BoxError>>,
    {
        let this = self.as_mut().project();
        match this.inner.as_pin_mut() {
            Some(inner) => inner.poll_into(cx, polled),
            None => *polled = Poll::Ready(Err(too_late(this.done))),
        }
        match polled {
            Poll::Ready(Ok(response)) => {
                if let Some(bounds) = bounds(*this.limit) {
                    bound(response, bounds);
                }
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending if self.is_woken_before() => {}
            Poll::Pending => *polled = self.poll_limit(cx).map(Err),
        }
    }

    /// Whether a timer of the inner future comes first, so that one for the limit would cost as much and tell nothing.
    #[cfg(feature = "standard")]
    #[inline]
    fn is_woken_before(&self) -> bool
    where
        F: PollInto,
    {
        let wakes_by = self.inner.as_ref().and_then(PollInto::wakes_by);
        let limit = self.limit.as_ref().filter(|_| self.timer.is_none());
        limit.zip(wakes_by).is_some_and(|(limit, wakes_by)| wakes_by < limit.at)
    }

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
