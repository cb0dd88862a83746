use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::Response;
use pin_project_lite::pin_project;
use seawall_core::{
    BoxError,
    elapsed::{Elapsed, TimeoutKind},
};
use tokio::time::{Instant, Sleep};

use crate::time_limit::TimeoutBody;
use crate::time_limit::{BodyKind, BodyLimits, drop_expired, poll_at};

pin_project! {
    /// Response future of [`DeadlineService`](super::DeadlineService).
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        // `None` if the deadline had passed before the call, and once the future has failed.
        #[pin]
        inner: Option<F>,
        // Created by the first pending poll: a response that is ready needs no timer.
        #[pin]
        timer: Option<Sleep>,
        deadline: Option<ActiveDeadline>,
        is_done: bool,
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct ActiveDeadline {
    pub(super) started: Instant,
    pub(super) at: Instant,
    pub(super) include_body: bool,
}

impl<F> ResponseFuture<F> {
    /// Creates the future. `inner` is `None` if the deadline had passed before the call.
    #[inline]
    pub(super) const fn new(inner: Option<F>, deadline: Option<ActiveDeadline>) -> Self {
        Self { inner, timer: None, deadline, is_done: false }
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
            return Poll::Ready(Err(elapsed_before_call(this.is_done)));
        };
        // Poll the response first: a ready response wins over a deadline that has passed.
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
    /// Drops the inner future once the deadline has passed.
    fn poll_elapsed(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<BoxError> {
        let mut this = self.project();
        let Some(deadline) = this.deadline else { return Poll::Pending };
        ready!(poll_at(this.timer, deadline.at, cx));
        drop_expired(|| this.inner.set(None));
        *this.is_done = true;
        Poll::Ready(Elapsed::new(deadline.total(), TimeoutKind::Deadline).into())
    }
}

fn elapsed_before_call(is_done: &mut bool) -> BoxError {
    assert!(!std::mem::replace(is_done, true), "polled after completion");
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
