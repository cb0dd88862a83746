use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use http::{HeaderMap, Request};
use tokio::time::Instant;

use super::{TimeoutHeader, future::ActiveDeadline, header::Parsed};
use crate::time_limit::Deadline;

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// `None` disables the layer. Not even the caller's deadline applies then.
    pub(super) total: Option<Duration>,
    pub(super) include_body: bool,
    pub(super) propagate: bool,
    pub(super) trusted: Trusted,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Trusted {
    pub(super) grpc: bool,
    pub(super) envoy: bool,
}

impl Trusted {
    pub(super) const NONE: Self = Self { grpc: false, envoy: false };
}

impl Settings {
    /// Returns the deadline of a call that starts now, and whether it has already passed. Inserts it into the request's
    /// extensions, if so configured.
    pub(super) fn start<B>(
        &self,
        request: &mut Request<B>,
        ignored: &AtomicU64,
    ) -> (Option<ActiveDeadline>, bool) {
        let Some(time) = self.time(request.headers(), ignored) else {
            return (None, false);
        };
        let started = Instant::now();
        let deadline = Deadline::after(started, time);
        let callers = request.extensions().get::<Deadline>().copied();
        let deadline = callers.map_or(deadline, |callers| callers.min(deadline));
        let is_late = deadline.at() <= started;
        // A later deadline of the caller must not reach the next hop.
        if !is_late && (self.propagate || callers.is_some()) && callers != Some(deadline) {
            request.extensions_mut().insert(deadline);
        }
        (
            Some(ActiveDeadline { started, at: deadline.at(), include_body: self.include_body }),
            is_late,
        )
    }

    /// Returns the time limit of a request, given its headers. Counts those that are `ignored`.
    fn time(&self, headers: &HeaderMap, ignored: &AtomicU64) -> Option<Duration> {
        let mut time = self.total?;
        let trusted = [
            self.trusted.grpc.then_some(TimeoutHeader::Grpc),
            self.trusted.envoy.then_some(TimeoutHeader::EnvoyExpected),
        ];
        for header in trusted.into_iter().flatten() {
            match header.read(headers) {
                Parsed::Missing => {}
                Parsed::Time(value) => time = time.min(value),
                Parsed::Invalid => {
                    ignored.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        Some(time)
    }
}
