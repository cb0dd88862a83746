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
/// Clones and their services share the count of [`invalid_headers`](Self::invalid_headers). Keep a
/// clone to read it.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct DeadlineLayer {
    settings: Settings,
    invalid_headers: ShardedArc<AtomicU64>,
}

impl DeadlineLayer {
    /// Creates a layer that limits the time from the call to the head of the response. Zero rejects
    /// every call. Values above thirty years count as thirty years.
    pub fn new(total: Duration) -> Self {
        Self::with_optional_total(Some(total))
    }

    /// Creates a layer that passes every call unchanged and does not enforce the caller's deadline.
    pub fn disabled() -> Self {
        Self::with_optional_total(None)
    }

    pub(crate) const fn total(&self) -> Option<Duration> {
        self.settings.total
    }

    /// Replaces the time limit. `None` disables the layer.
    pub(crate) const fn with_total(mut self, total: Option<Duration>) -> Self {
        self.settings.total = total;
        self
    }

    /// Trusts only these headers.
    pub(crate) fn with_trusted(mut self, headers: Vec<TimeoutHeader>) -> Self {
        self.settings.trusted = Trusted::NONE;
        headers.into_iter().fold(self, Self::trust_header)
    }

    fn with_optional_total(total: Option<Duration>) -> Self {
        let trusted = Trusted::NONE;
        let settings = Settings { total, include_body: false, propagate: true, trusted };
        Self { settings, invalid_headers: ShardedArc::default() }
    }

    /// Sets whether the deadline covers the body of the response. Defaults to `false`, because it
    /// would cut off streams and downloads. Frames that are ready pass even after the deadline.
    pub const fn include_body(mut self, include_body: bool) -> Self {
        self.settings.include_body = include_body;
        self
    }

    /// Enforces the timeout in this request header too, if it is sooner. By default no header is
    /// trusted. Trust a header only from known callers: other callers can have every upstream call
    /// started and aborted.
    ///
    /// With several trusted headers, the soonest timeout applies.
    pub const fn trust_header(mut self, header: TimeoutHeader) -> Self {
        match header {
            TimeoutHeader::Grpc => self.settings.trusted.grpc = true,
            TimeoutHeader::EnvoyExpected => self.settings.trusted.envoy = true,
        }
        self
    }

    /// Sets whether the deadline is inserted into the request's extensions, for `RetryLayer` and
    /// [`DeadlineHeaderLayer`](super::DeadlineHeaderLayer). Defaults to `true`. A later deadline of
    /// the caller is replaced in either case.
    pub const fn propagate(mut self, propagate: bool) -> Self {
        self.settings.propagate = propagate;
        self
    }

    /// Returns the number of trusted headers that were ignored because they were invalid or
    /// repeated.
    #[must_use]
    pub fn invalid_headers(&self) -> u64 {
        self.invalid_headers.load(Ordering::Relaxed)
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self { settings, invalid_headers } = self.clone();
        DeadlineService { inner, settings, invalid_headers }
    }
}
