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
    /// `None` disables the layer. The caller's deadline does not apply either.
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
    /// Returns the deadline of a call that starts now, and whether it has already passed. Inserts
    /// the deadline into the request's extensions if configured.
    pub(super) fn start<B>(
        &self,
        request: &mut Request<B>,
        invalid_headers: &AtomicU64,
    ) -> (Option<ActiveDeadline>, bool) {
        let Some(limit) = self.time_limit(request.headers(), invalid_headers) else {
            return (None, false);
        };
        let started = Instant::now();
        let deadline = Deadline::after(started, limit);
        let caller_deadline = request.extensions().get::<Deadline>().copied();
        let deadline = caller_deadline.map_or(deadline, |other| other.min(deadline));
        let is_late = deadline.at() <= started;
        // A later deadline of the caller must not reach the next hop.
        if !is_late
            && (self.propagate || caller_deadline.is_some())
            && caller_deadline != Some(deadline)
        {
            request.extensions_mut().insert(deadline);
        }
        (
            Some(ActiveDeadline { started, at: deadline.at(), include_body: self.include_body }),
            is_late,
        )
    }

    /// Returns the time limit of a request with these headers. Counts invalid headers.
    fn time_limit(&self, headers: &HeaderMap, invalid_headers: &AtomicU64) -> Option<Duration> {
        let mut limit = self.total?;
        let trusted = [
            self.trusted.grpc.then_some(TimeoutHeader::Grpc),
            self.trusted.envoy.then_some(TimeoutHeader::EnvoyExpected),
        ];
        for header in trusted.into_iter().flatten() {
            match header.read(headers) {
                Parsed::Missing => {}
                Parsed::Time(timeout) => limit = limit.min(timeout),
                Parsed::Invalid => {
                    invalid_headers.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        Some(limit)
    }
}
