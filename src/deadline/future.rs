use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::Response;
use pin_project_lite::pin_project;
use seawall_core::BoxError;
use tokio::time::{Instant, Sleep};

use super::{Elapsed, TimeoutBody, TimeoutKind};
use crate::time_limit::{BodyKind, BodyLimits, poll_at};

pin_project! {
    /// Response future of [`DeadlineService`](super::DeadlineService).
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        // `None` if the deadline had passed before the call, and after it has passed.
        #[pin]
        inner: Option<F>,
        // Created by the first pending poll, as in a timeout.
        #[pin]
        timer: Option<Sleep>,
        deadline: Option<ActiveDeadline>,
        done: bool,
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct ActiveDeadline {
    pub(super) started: Instant,
    pub(super) at: Instant,
    pub(super) include_body: bool,
}

impl<F> ResponseFuture<F> {
    /// An `inner` of `None` means that the deadline had passed before the call.
    #[inline]
    pub(super) const fn new(inner: Option<F>, deadline: Option<ActiveDeadline>) -> Self {
        Self { inner, timer: None, deadline, done: false }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<TimeoutBody<B>>, BoxError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.as_mut().project();
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(Err(too_late(this.done)));
        };
        // The response first: one that is ready wins over a deadline that has passed.
        match inner.poll(cx) {
            Poll::Ready(Ok(response)) => {
                let limits = body_limits(*this.deadline);
                Poll::Ready(Ok(response.map(|body| TimeoutBody::new(body, limits))))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
            Poll::Pending => self.poll_elapsed(cx).map(Err),
        }
    }
}

impl<F> ResponseFuture<F> {
    /// Drops the inner future when the deadline has passed.
    fn poll_elapsed(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<BoxError> {
        let mut this = self.project();
        let Some(deadline) = this.deadline else { return Poll::Pending };
        ready!(poll_at(this.timer, deadline.at, cx));
        this.inner.set(None);
        *this.done = true;
        Poll::Ready(Elapsed::new(deadline.total(), TimeoutKind::Deadline).into())
    }
}

fn too_late(done: &mut bool) -> BoxError {
    assert!(!std::mem::replace(done, true), "polled after completion");
    Elapsed::new(Duration::ZERO, TimeoutKind::BeforeCall).into()
}

impl ActiveDeadline {
    /// Returns the time from the call to the deadline.
    fn total(self) -> Duration {
        self.at.duration_since(self.started)
    }
}

fn body_limits(deadline: Option<ActiveDeadline>) -> BodyLimits {
    match deadline {
        Some(deadline) if deadline.include_body => {
            let (total, at) = (deadline.total(), Some(deadline.at));
            BodyLimits::new(Duration::MAX, total, at, BodyKind::ResponseByDeadline)
        }
        _ => BodyLimits::NONE,
    }
}
