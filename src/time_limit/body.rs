use std::{
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use seawall_core::{
    BoxError,
    elapsed::{Elapsed, TimeoutKind},
};
use tokio::{
    task::coop::unconstrained,
    time::{Instant, Sleep, sleep_until},
};

pin_project! {
    /// A body that fails with [`Elapsed`] if a limit passes while a frame is awaited.
    ///
    /// Frames, trailers, errors, size hint and end pass unchanged. The idle time counts only while the reader waits, so a slow
    /// reader is not held against the sender. The total time counts always.
    #[derive(Debug)]
    pub struct TimeoutBody<B> {
        // `None` after a limit has passed, which frees the connection at once.
        #[pin]
        inner: Option<B>,
        // Created by the first wait: a body that is never pending needs neither timer nor runtime. Boxed, since hyper's
        // client requires bodies that are `Unpin`.
        timer: Option<Pin<Box<Sleep>>>,
        limits: BodyLimits,
        waiting_since: Option<Instant>,
    }
}

/// The time limits of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    /// The limit of the wait for one frame; [`Duration::MAX`] for none.
    idle: Duration,
    until: Option<Instant>,
    /// The time that ends at `until`, for the error.
    total: Duration,
    body: BodyKind,
}

/// Which body is limited, and by which layer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BodyKind {
    Response,
    Request,
    /// A response's, by the deadline of its call.
    ResponseByDeadline,
}

impl BodyLimits {
    pub(crate) const NONE: Self =
        Self { idle: Duration::MAX, until: None, total: Duration::MAX, body: BodyKind::Response };

    /// An `idle` of [`Duration::MAX`] and an `until` of `None` are no limits.
    pub(crate) const fn new(
        idle: Duration,
        total: Duration,
        until: Option<Instant>,
        body: BodyKind,
    ) -> Self {
        Self { idle, until, total, body }
    }

    fn poll_elapsed(
        &self,
        timer: &mut Option<Pin<Box<Sleep>>>,
        waiting_since: &mut Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Poll<Elapsed> {
        let idle = match self.idle {
            Duration::MAX => None,
            idle => waiting_since.get_or_insert_with(Instant::now).checked_add(idle),
        };
        let (at, elapsed) = match (idle, self.until) {
            (Some(idle), until) if until.is_none_or(|until| idle < until) => {
                (idle, Elapsed::new(self.idle, self.body.idle_phase()))
            }
            (_, Some(until)) => (until, Elapsed::new(self.total, self.body.total_phase())),
            (_, None) => return Poll::Pending,
        };
        let sleep = timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        loop {
            // Unconstrained: a body that spends the whole coop budget on every poll would otherwise starve the timer.
            ready!(pin!(unconstrained(sleep.as_mut())).poll(cx));
            if sleep.deadline() >= at {
                return Poll::Ready(elapsed);
            }
            // The timer of an earlier wait is reset only when it fires, since most frames come before that.
            sleep.as_mut().reset(at);
        }
    }
}

impl BodyKind {
    const fn idle_phase(self) -> TimeoutKind {
        match self {
            Self::Request => TimeoutKind::RequestIdle,
            Self::Response | Self::ResponseByDeadline => TimeoutKind::ResponseIdle,
        }
    }

    const fn total_phase(self) -> TimeoutKind {
        match self {
            Self::Request => TimeoutKind::RequestTotal,
            Self::Response => TimeoutKind::ResponseTotal,
            Self::ResponseByDeadline => TimeoutKind::DeadlineBody,
        }
    }
}

impl<B> TimeoutBody<B> {
    pub(crate) const fn new(inner: B, limits: BodyLimits) -> Self {
        Self { inner: Some(inner), timer: None, limits, waiting_since: None }
    }
}

impl<B> Body for TimeoutBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = BoxError;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        // The frame first: one that is ready wins over a limit that has passed.
        if let Poll::Ready(frame) = inner.poll_frame(cx) {
            *this.waiting_since = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let elapsed = ready!(this.limits.poll_elapsed(this.timer, this.waiting_since, cx));
        this.inner.set(None);
        Poll::Ready(Some(Err(elapsed.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
