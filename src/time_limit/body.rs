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
    /// Frames, trailers, errors, the size hint and the end pass through unchanged. The idle time
    /// counts only while the reader waits for a frame, so a slow reader does not cause a timeout.
    /// The total time always counts.
    #[derive(Debug)]
    pub struct TimeoutBody<B> {
        // `None` after a limit has passed, to release the connection at once.
        #[pin]
        inner: Option<B>,
        // Created by the first pending poll: a body that is never pending needs neither timer nor
        // runtime. Boxed because hyper's client requires `Unpin` bodies.
        timer: Option<Pin<Box<Sleep>>>,
        limits: BodyLimits,
        waiting_since: Option<Instant>,
    }
}

/// The time limits of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    /// The limit of the wait for one frame. [`Duration::MAX`] is no limit.
    idle: Duration,
    /// The end of the `total` time, if that is limited.
    deadline: Option<Instant>,
    /// The limit that the error reports when `deadline` passes.
    total: Duration,
    body_kind: BodyKind,
}

/// Which body is limited, and by which layer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BodyKind {
    Response,
    Request,
    /// A response body, limited by the deadline of its call.
    ResponseByDeadline,
}

impl BodyLimits {
    pub(crate) const NONE: Self = Self {
        idle: Duration::MAX,
        deadline: None,
        total: Duration::MAX,
        body_kind: BodyKind::Response,
    };

    /// Creates the limits. An `idle` of [`Duration::MAX`] and a `deadline` of `None` are no limits.
    pub(crate) const fn new(
        idle: Duration,
        total: Duration,
        deadline: Option<Instant>,
        body_kind: BodyKind,
    ) -> Self {
        Self { idle, deadline, total, body_kind }
    }

    fn poll_elapsed(
        &self,
        timer: &mut Option<Pin<Box<Sleep>>>,
        waiting_since: &mut Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Poll<Elapsed> {
        let idle_end = match self.idle {
            Duration::MAX => None,
            idle => waiting_since.get_or_insert_with(Instant::now).checked_add(idle),
        };
        let (at, elapsed) = match (idle_end, self.deadline) {
            (Some(idle_end), deadline) if deadline.is_none_or(|deadline| idle_end < deadline) => {
                (idle_end, Elapsed::new(self.idle, self.body_kind.idle_timeout_kind()))
            }
            (_, Some(deadline)) => {
                (deadline, Elapsed::new(self.total, self.body_kind.total_timeout_kind()))
            }
            (_, None) => return Poll::Pending,
        };
        let sleep = timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        loop {
            // Unconstrained: a body that spends the coop budget on every poll would otherwise
            // starve the timer.
            ready!(pin!(unconstrained(sleep.as_mut())).poll(cx));
            if sleep.deadline() >= at {
                return Poll::Ready(elapsed);
            }
            // A timer of an earlier wait is reset only when it fires: most frames arrive before, so
            // most waits need no reset.
            sleep.as_mut().reset(at);
        }
    }
}

impl BodyKind {
    const fn idle_timeout_kind(self) -> TimeoutKind {
        match self {
            Self::Request => TimeoutKind::RequestIdle,
            Self::Response | Self::ResponseByDeadline => TimeoutKind::ResponseIdle,
        }
    }

    const fn total_timeout_kind(self) -> TimeoutKind {
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
        // Polled before the timer: a ready frame wins over a passed limit.
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
