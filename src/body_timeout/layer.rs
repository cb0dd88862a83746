use std::time::Duration;

use tower_layer::Layer;

use super::{
    BodyTimeout,
    settings::{Limits, RequestBodies, ResponseBodies},
};

/// Applies [`BodyTimeout`]. See the [module docs](super) for an example.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct BodyTimeoutLayer<Of = ResponseBodies> {
    limits: Limits,
    of: Of,
}

impl BodyTimeoutLayer {
    /// Limits the bodies of responses: 60 s between frames, no limit of the total.
    pub const fn new() -> Self {
        Self { limits: Limits::DEFAULT, of: ResponseBodies {} }
    }

    /// Limits the bodies of requests, in a server: 60 s between frames, no limit of the total.
    pub const fn for_requests() -> BodyTimeoutLayer<RequestBodies> {
        BodyTimeoutLayer { limits: Limits::DEFAULT, of: RequestBodies {} }
    }
}

impl<Of> BodyTimeoutLayer<Of> {
    /// Sets the maximum wait for each frame. Defaults to 60 s. [`Duration::MAX`] is no limit. Zero allows only frames that are
    /// ready. The timer adds a millisecond.
    pub const fn idle(mut self, limit: Duration) -> Self {
        self.limits.idle = limit;
        self
    }

    /// Sets the maximum time for the whole body, counted from the moment its head passes. Defaults to [`Duration::MAX`],
    /// which is no limit. Frames that are ready pass even after it.
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
