use std::time::Duration;

use http_body::Body;
use tokio::time::Instant;
use tower_layer::Layer;

use super::{BodyTimeout, TimedBody};
use crate::time_limit::{Bounds, Whose};

/// Applies [`BodyTimeout`]. See the [module docs](super) for an example.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct BodyTimeoutLayer<Of = Responses> {
    limits: Limits,
    of: Of,
}

/// The bodies of responses are timed.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Responses {}

/// The bodies of requests are timed.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Requests {}

#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    idle: Duration,
    total: Duration,
}

impl BodyTimeoutLayer {
    /// For the bodies of responses: 60 s between frames, as long as it likes in all.
    pub const fn new() -> Self {
        Self { limits: Limits::DEFAULT, of: Responses {} }
    }

    /// For the bodies of requests, in a server: 60 s between frames, as long as it likes in all.
    pub const fn for_requests() -> BodyTimeoutLayer<Requests> {
        BodyTimeoutLayer { limits: Limits::DEFAULT, of: Requests {} }
    }
}

impl<Of> BodyTimeoutLayer<Of> {
    /// Sets how long each frame may be waited for. The default is 60 s; [`Duration::MAX`]: as long as it likes; zero allows
    /// only frames that are there. A timer's tick, a millisecond, is added.
    pub const fn idle(mut self, limit: Duration) -> Self {
        self.limits.idle = limit;
        self
    }

    /// Sets how long the whole body may take, from the moment that its head passes here. The default is
    /// [`Duration::MAX`]: as long as it likes. Ends only a body that has to be waited for: what is there passes.
    pub const fn total(mut self, limit: Duration) -> Self {
        self.limits.total = limit;
        self
    }
}

impl Default for BodyTimeoutLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S, Of: Clone> Layer<S> for BodyTimeoutLayer<Of> {
    type Service = BodyTimeout<S, Of>;

    fn layer(&self, inner: S) -> Self::Service {
        BodyTimeout { inner, limits: self.limits, of: self.of.clone() }
    }
}

impl Limits {
    const DEFAULT: Self = Self { idle: Duration::from_secs(60), total: Duration::MAX };

    #[inline]
    pub(super) fn time<B: Body>(self, body: B, whose: Whose) -> TimedBody<B> {
        let Self { idle, total } = self;
        // The clock is read only if it is needed.
        let until = if total == Duration::MAX || body.is_end_stream() {
            None
        } else {
            Instant::now().checked_add(total)
        };
        TimedBody::new(body, Bounds::new(idle, total, until, whose))
    }
}
