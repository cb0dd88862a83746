//! The waits for the caller's request body, which the timer of an attempt excludes.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use seawall_core::elapsed::TimeoutKind;
use tokio::time::Instant;

use crate::sync::{Mutex, lock};

/// The waits of one attempt for the caller's request body.
///
/// A request extension. The body that is sent records its waits, and the timer of the attempt reads
/// them. A wait begins when the body is polled and pending. It ends when a later poll is ready, and
/// when the body is dropped.
#[derive(Clone, Debug)]
pub struct BodyWait(Arc<Mutex<WaitTimes>>);

#[derive(Clone, Copy, Debug, Default)]
struct WaitTimes {
    /// The start of the current wait.
    since: Option<Instant>,
    /// The sum of the earlier waits.
    earlier: Duration,
}

impl BodyWait {
    /// Returns whether the body is pending.
    pub(crate) fn is_waiting(&self) -> bool {
        lock(&self.0).since.is_some()
    }

    /// Returns the sum of the waits so far.
    pub(crate) fn waited(&self) -> Duration {
        let times = *lock(&self.0);
        let current = times.since.map(|since| since.elapsed());
        times.earlier.saturating_add(current.unwrap_or_default())
    }

    /// Returns the kind of the limit that has passed, or the time of the next check.
    pub(crate) fn check(
        &self,
        started: Instant,
        now: Instant,
        limit: Duration,
    ) -> ControlFlow<TimeoutKind, Instant> {
        let times = *lock(&self.0);
        times.check(started, now, limit)
    }
}

/// The number of checks per limit while the body is pending and the attempt's time is almost spent.
/// The end of a wait wakes nothing, so a timeout after a wait may be late by one such interval.
const CHECKS_PER_LIMIT: u32 = 16;

/// The resolution of tokio's timers.
const TICK: Duration = Duration::from_millis(1);

impl WaitTimes {
    /// Applies `limit` to the time without waits, and to the current wait.
    fn check(
        self,
        started: Instant,
        now: Instant,
        limit: Duration,
    ) -> ControlFlow<TimeoutKind, Instant> {
        let current = self.since.map(|since| now.saturating_duration_since(since));
        let waits = self.earlier.saturating_add(current.unwrap_or_default());
        let used = now.saturating_duration_since(started).saturating_sub(waits);
        let remaining = limit.saturating_sub(used);
        match current {
            None if remaining.is_zero() => ControlFlow::Break(TimeoutKind::ResponseHead),
            None => ControlFlow::Continue(now + remaining),
            Some(current) if current >= limit => ControlFlow::Break(TimeoutKind::RequestIdle),
            Some(current) => {
                let interval = remaining.max(limit / CHECKS_PER_LIMIT).max(TICK);
                ControlFlow::Continue(now + interval.min(limit.saturating_sub(current)))
            }
        }
    }
}

/// The half of a [`BodyWait`] that belongs to the body.
#[derive(Debug)]
pub(crate) struct WaitRecorder {
    wait: BodyWait,
    is_waiting: bool,
}

impl WaitRecorder {
    pub(crate) fn new() -> Self {
        Self { wait: BodyWait(Arc::new(Mutex::new(WaitTimes::default()))), is_waiting: false }
    }

    pub(crate) fn wait(&self) -> &BodyWait {
        &self.wait
    }

    /// Records the result of a poll. Takes the lock only if it differs from the last.
    #[inline]
    pub(crate) fn record(&mut self, is_pending: bool) {
        if is_pending != self.is_waiting {
            self.is_waiting = is_pending;
            self.update();
        }
    }

    fn update(&self) {
        let now = Instant::now();
        let mut times = lock(&self.wait.0);
        match times.since.take() {
            Some(since) if !self.is_waiting => {
                let waited = now.saturating_duration_since(since);
                times.earlier = times.earlier.saturating_add(waited);
            }
            since => times.since = since.or(self.is_waiting.then_some(now)),
        }
    }
}

impl Drop for WaitRecorder {
    fn drop(&mut self) {
        self.record(false);
    }
}
