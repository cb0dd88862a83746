use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use http::HeaderMap;
use tower_layer::Layer;

use super::{TimeoutHeader, WithDeadline, header::Said};
use crate::sharded::Sharded;

/// Applies [`WithDeadline`]. See the [module docs](super) for an example.
///
/// # Clone
///
/// Clones, and the services made by them, share the number of headers [ignored](Self::ignored): keep one to read it.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct DeadlineLayer {
    settings: Settings,
    ignored: Sharded<AtomicU64>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// `None`: there is no deadline, not even the caller's.
    pub(super) total: Option<Duration>,
    pub(super) with_body: bool,
    pub(super) tell_inner: bool,
    trusted: Trusted,
}

#[derive(Clone, Copy, Debug)]
struct Trusted {
    grpc: bool,
    envoy: bool,
}

const NOBODY: Trusted = Trusted { grpc: false, envoy: false };

impl DeadlineLayer {
    /// Allows a call `total`, from the call to the response's head. Zero allows none; more than thirty years count as
    /// thirty.
    pub fn new(total: Duration) -> Self {
        Self::of(Some(total))
    }

    /// Passes every call as it is, without a deadline, not even the caller's.
    pub fn disabled() -> Self {
        Self::of(None)
    }

    #[cfg(feature = "config")]
    pub(crate) const fn total(&self) -> Option<Duration> {
        self.settings.total
    }

    /// The same, but for the time; off if there is none.
    #[cfg(feature = "config")]
    pub(crate) const fn lasting(mut self, total: Option<Duration>) -> Self {
        self.settings.total = total;
        self
    }

    /// Trusts these headers, and no other.
    #[cfg(feature = "config")]
    pub(crate) fn trusting(mut self, headers: Vec<TimeoutHeader>) -> Self {
        self.settings.trusted = NOBODY;
        headers.into_iter().fold(self, Self::trust)
    }

    fn of(total: Option<Duration>) -> Self {
        let trusted = NOBODY;
        let settings = Settings { total, with_body: false, tell_inner: true, trusted };
        Self { settings, ignored: Sharded::default() }
    }

    /// Sets whether the deadline holds to the end of the response's body. Default: no, since it would cut streams and
    /// downloads. Ends only a body that has to be waited for: what is there passes.
    pub const fn with_body(mut self, with_body: bool) -> Self {
        self.settings.with_body = with_body;
        self
    }

    /// Keeps to this header of requests too, if it is sooner. Default: to none. Only for callers that are trusted: any
    /// other may have every call to the upstream begun and broken off.
    ///
    /// May be said of several headers; the soonest holds.
    pub const fn trust(mut self, header: TimeoutHeader) -> Self {
        match header {
            TimeoutHeader::Grpc => self.settings.trusted.grpc = true,
            TimeoutHeader::EnvoyExpected => self.settings.trusted.envoy = true,
        }
        self
    }

    /// Sets whether the deadline is put into the request's extensions, for `RetryLayer` and
    /// [`DeadlineHeaderLayer`](super::DeadlineHeaderLayer). Default: yes. A later one that the caller left there is replaced.
    pub const fn tell_inner(mut self, tell_inner: bool) -> Self {
        self.settings.tell_inner = tell_inner;
        self
    }

    /// How many trusted headers were ignored so far, because they were not as they should be, or came twice.
    #[must_use]
    pub fn ignored(&self) -> u64 {
        self.ignored.load(Ordering::Relaxed)
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = WithDeadline<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self { settings, ignored } = self.clone();
        WithDeadline { inner, settings, ignored }
    }
}

impl Settings {
    /// The time that a request may take by these settings and its headers.
    #[inline]
    pub(super) fn time(&self, headers: &HeaderMap, ignored: &AtomicU64) -> Option<Duration> {
        if self.trusted.grpc || self.trusted.envoy {
            return self.total.map(|total| self.capped(total, headers, ignored));
        }
        self.total
    }

    fn capped(&self, total: Duration, headers: &HeaderMap, ignored: &AtomicU64) -> Duration {
        let mut time = total;
        for header in [
            self.trusted.grpc.then_some(TimeoutHeader::Grpc),
            self.trusted.envoy.then_some(TimeoutHeader::EnvoyExpected),
        ]
        .into_iter()
        .flatten()
        {
            match header.read(headers) {
                Said::Nothing => {}
                Said::Time(said) => time = time.min(said),
                Said::Nonsense => {
                    ignored.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        time
    }
}
