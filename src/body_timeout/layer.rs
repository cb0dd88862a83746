use std::time::Duration;

use tower_layer::Layer;

use super::{
    BodyTimeout,
    settings::{BodyTimeouts, RequestDirection, ResponseDirection},
};

/// A layer that applies [`BodyTimeout`]. See the [module docs](super) for an example.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct BodyTimeoutLayer<Direction = ResponseDirection> {
    limits: BodyTimeouts,
    direction: Direction,
}

impl BodyTimeoutLayer {
    /// Creates a layer that limits response bodies. Defaults: 60 s between frames, no total limit.
    pub const fn new() -> Self {
        Self { limits: BodyTimeouts::RESPONSES, direction: ResponseDirection {} }
    }

    /// Creates a layer that limits request bodies in a server. Defaults: 8 s between frames, no
    /// total limit.
    ///
    /// In a gateway, keep the limit below the timeout of an attempt. Otherwise a caller that stalls
    /// can end the attempt first.
    pub const fn for_requests() -> BodyTimeoutLayer<RequestDirection> {
        BodyTimeoutLayer { limits: BodyTimeouts::REQUESTS, direction: RequestDirection {} }
    }
}

impl<Direction> BodyTimeoutLayer<Direction> {
    /// Sets the maximum wait for each frame. Default: 60 s for responses, 8 s for requests.
    ///
    /// [`Duration::MAX`] is no limit. Zero allows only frames that are ready. The timer adds a
    /// millisecond.
    pub const fn idle(mut self, limit: Duration) -> Self {
        self.limits.idle = limit;
        self
    }

    /// Sets the maximum time for the whole body, counted from the head of the message. Default:
    /// [`Duration::MAX`], which is no limit.
    ///
    /// Frames that are ready pass even after the limit.
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

impl<S, Direction: Clone> Layer<S> for BodyTimeoutLayer<Direction> {
    type Service = BodyTimeout<S, Direction>;

    fn layer(&self, inner: S) -> Self::Service {
        BodyTimeout { inner, limits: self.limits, direction: self.direction.clone() }
    }
}
