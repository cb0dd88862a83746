use std::{
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::{
    task::coop::unconstrained,
    time::{Instant, Sleep, sleep_until},
};

use super::{Elapsed, Phase};
use crate::BoxError;

pin_project! {
    /// A body that fails with [`Elapsed`] when a limit passes while a frame is waited for.
    ///
    /// What is there passes as it is: frames, trailers, errors, size hint and end. The clock runs only while somebody
    /// waits, so a reader that takes its time is not held against the sender; but the time for the whole goes on.
    #[derive(Debug)]
    pub struct TimedBody<B> {
        // `None` once a limit has passed, so that its connection is free at once.
        #[pin]
        inner: Option<B>,
        // Made by the first wait that can end in time: a body that is there needs no timer, and no runtime. Boxed, so
        // that a body that can be moved still can: hyper's client takes no other; and is moved at little cost.
        timer: Option<Pin<Box<Sleep>>>,
        bounds: Bounds,
        waiting_since: Option<Instant>,
    }
}

/// What a body may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    idle: Nanos,
    until: Option<Instant>,
    /// The time that ends with `until`, to be told of.
    total: Nanos,
    whose: Whose,
}

/// A time that takes half as much room as a `Duration`, since a response is moved with it. Enough for 584 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Nanos(u64);

/// Whose body, and by whose word.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "each is made by one layer")]
pub(crate) enum Whose {
    Response,
    Request,
    Deadline,
}

impl Bounds {
    /// As long as it likes.
    #[cfg(feature = "deadline")]
    pub(crate) const NONE: Self =
        Self { idle: Nanos::MAX, until: None, total: Nanos::MAX, whose: Whose::Response };

    /// `Duration::MAX` and `None`: as long as it likes.
    #[inline]
    pub(crate) fn new(
        idle: Duration,
        total: Duration,
        until: Option<Instant>,
        whose: Whose,
    ) -> Self {
        Self { idle: Nanos::of(idle), until, total: Nanos::of(total), whose }
    }
}

impl Nanos {
    const MAX: Self = Self(u64::MAX);

    #[inline]
    fn of(time: Duration) -> Self {
        u64::try_from(time.as_nanos()).map_or(Self::MAX, Self)
    }

    const fn time(self) -> Duration {
        Duration::from_nanos(self.0)
    }
}

impl<B> TimedBody<B> {
    pub(crate) const fn new(inner: B, bounds: Bounds) -> Self {
        Self { inner: Some(inner), timer: None, bounds, waiting_since: None }
    }
}

impl<B> Body for TimedBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = BoxError;

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a frame is large to hand on, and a body is polled at two places"
    )]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        // The frame first: one that is there beats a limit that has passed.
        if let Poll::Ready(frame) = inner.poll_frame(cx) {
            *this.waiting_since = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let elapsed = ready!(this.bounds.poll_elapsed(this.timer, this.waiting_since, cx));
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

impl Bounds {
    /// Apart from the rest, and not generic, so that what is left is small enough to be inlined.
    fn poll_elapsed(
        &self,
        timer: &mut Option<Pin<Box<Sleep>>>,
        waiting_since: &mut Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Poll<Elapsed> {
        let idle = match self.idle {
            Nanos::MAX => None,
            idle => waiting_since.get_or_insert_with(Instant::now).checked_add(idle.time()),
        };
        let (at, elapsed) = match (idle, self.until) {
            (Some(idle), until) if until.is_none_or(|until| idle < until) => {
                (idle, Elapsed::new(self.idle.time(), self.whose.idle()))
            }
            (_, Some(until)) => (until, Elapsed::new(self.total.time(), self.whose.total())),
            (_, None) => return Poll::Pending,
        };
        let sleep = timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        loop {
            // Unconstrained: a body that spends the whole coop budget on every poll would otherwise keep the timer
            // from ever being ready.
            ready!(pin!(unconstrained(sleep.as_mut())).poll(cx));
            if sleep.deadline() >= at {
                return Poll::Ready(elapsed);
            }
            // Left standing where an earlier wait put it: most frames come in time, and moving it costs.
            sleep.as_mut().reset(at);
        }
    }
}

impl Whose {
    const fn idle(self) -> Phase {
        match self {
            Self::Request => Phase::RequestIdle,
            Self::Response | Self::Deadline => Phase::ResponseIdle,
        }
    }

    const fn total(self) -> Phase {
        match self {
            Self::Request => Phase::RequestTotal,
            Self::Response => Phase::ResponseTotal,
            Self::Deadline => Phase::DeadlineBody,
        }
    }
}
