use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tower_layer::Layer;

use super::{
    DeadlineService, TimeoutHeader,
    settings::{Settings, Trusted},
};
use crate::sharded_arc::ShardedArc;

/// Applies [`DeadlineService`]. See the [module docs](super) for an example.
///
/// # Clone
///
/// Clones, and the services made by them, share the number of headers [ignored](Self::invalid_headers): keep one to read it.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct DeadlineLayer {
    settings: Settings,
    ignored: ShardedArc<AtomicU64>,
}

impl DeadlineLayer {
    /// Limits the time from the call to the response's head. Zero allows no call. More than thirty years count as thirty.
    pub fn new(total: Duration) -> Self {
        Self::of(Some(total))
    }

    /// Passes every call unchanged, without even the caller's deadline.
    pub fn disabled() -> Self {
        Self::of(None)
    }

    pub(crate) const fn total(&self) -> Option<Duration> {
        self.settings.total
    }

    /// Replaces the time limit; `None` disables the layer.
    pub(crate) const fn with_total(mut self, total: Option<Duration>) -> Self {
        self.settings.total = total;
        self
    }

    /// Trusts these headers and no others.
    pub(crate) fn with_trusted(mut self, headers: Vec<TimeoutHeader>) -> Self {
        self.settings.trusted = Trusted::NONE;
        headers.into_iter().fold(self, Self::trust_header)
    }

    fn of(total: Option<Duration>) -> Self {
        let trusted = Trusted::NONE;
        let settings = Settings { total, include_body: false, propagate: true, trusted };
        Self { settings, ignored: ShardedArc::default() }
    }

    /// Sets whether the deadline covers the response's body. Defaults to `false`, since it would cut off streams and
    /// downloads. Frames that are ready pass even after it.
    pub const fn include_body(mut self, include_body: bool) -> Self {
        self.settings.include_body = include_body;
        self
    }

    /// Applies this request header too, if it is sooner. Defaults to no header. Trust only known callers: any other can have
    /// every upstream call started and aborted.
    ///
    /// With several headers, the soonest applies.
    pub const fn trust_header(mut self, header: TimeoutHeader) -> Self {
        match header {
            TimeoutHeader::Grpc => self.settings.trusted.grpc = true,
            TimeoutHeader::EnvoyExpected => self.settings.trusted.envoy = true,
        }
        self
    }

    /// Sets whether the deadline is inserted into the request's extensions, for `RetryLayer` and
    /// [`DeadlineHeaderLayer`](super::DeadlineHeaderLayer). Defaults to `true`. A later deadline of the caller is replaced.
    pub const fn propagate(mut self, propagate: bool) -> Self {
        self.settings.propagate = propagate;
        self
    }

    /// Returns how many trusted headers were ignored, because they were invalid or repeated.
    #[must_use]
    pub fn invalid_headers(&self) -> u64 {
        self.ignored.load(Ordering::Relaxed)
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self { settings, ignored } = self.clone();
        DeadlineService { inner, settings, ignored }
    }
}
