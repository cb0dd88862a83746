use std::{error::Error, fmt, num::NonZeroU32, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    adaptive::{AdaptiveLimit, GradientLimit},
    unread::Unread,
};
use crate::{
    body::CompletionObserver,
    keys::Evictable,
    rejections::Rejections,
    sharded_arc::ShardedArc,
    sync::{AtomicU32, Mutex, Ordering, lock},
    time_limit::BodyWait,
};

/// The kind of a limit, with its settings.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Fixed(NonZeroU32),
    Adaptive(AdaptiveLimit),
}

/// The number of calls in flight, and its maximum.
#[derive(Debug)]
pub struct Limit {
    pub(super) key: Option<Arc<str>>,
    max: AtomicU32,
    in_flight: AtomicU32,
    rejections: Rejections,
    unread: Unread,
    adaptive: Option<AdaptiveState>,
}

#[derive(Debug)]
struct AdaptiveState {
    settings: AdaptiveLimit,
    /// All times are measured from this instant.
    created: Instant,
    gradient: Mutex<GradientLimit>,
}

/// The permit of a call in flight. It is released when dropped.
pub struct Permit {
    limit: ShardedArc<Limit>,
    /// The start of the call. `None` after the response, and if the limit is fixed.
    started: Option<Instant>,
    /// The waits for the caller's request body, which the latency excludes.
    body_wait: Option<BodyWait>,
    reading: Reading,
}

/// The state of the caller: it reads the response, or not.
#[derive(Clone, Copy, Debug)]
enum Reading {
    /// The upstream makes the next step: it sends the response, or a part of it.
    Active,
    /// The caller makes the next step. It was last active in this period of [`Unread`].
    Unread(u32),
    /// The caller did not read for too long, and the permit was released.
    Released,
}

impl Limit {
    pub(super) fn new(key: Option<Arc<str>>, kind: Kind) -> Self {
        let (max, adaptive) = match kind {
            Kind::Fixed(max) => (max, None),
            Kind::Adaptive(settings) => {
                let gradient = Mutex::new(GradientLimit::new(settings));
                let adaptive = AdaptiveState { settings, created: Instant::now(), gradient };
                (settings.first(), Some(adaptive))
            }
        };
        Self {
            key,
            max: AtomicU32::new(max.get()),
            in_flight: AtomicU32::new(0),
            rejections: Rejections::default(),
            unread: Unread::new(),
            adaptive,
        }
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn max(&self) -> NonZeroU32 {
        NonZeroU32::new(self.max.load(Ordering::Relaxed)).unwrap_or(NonZeroU32::MIN)
    }

    /// Reports a rejected call.
    pub(super) fn report_rejection(&self) {
        crate::metrics::record_in_flight_rejection(self.key.as_ref());
        self.emit_rejections(self.rejections.record(Instant::now()));
    }

    fn emit_rejections(&self, rejected: Option<u64>) {
        let Some(rejected) = rejected else { return };
        // A caller may have chosen the text of a key. `Debug` escapes it.
        let key = self.key.as_deref();
        let target = key.map(|key| format!(" for {key:?}")).unwrap_or_default();
        let calls = if rejected == 1 { "call" } else { "calls" };
        tracing::warn!(
            name: "in_flight",
            key = key.map(tracing::field::debug),
            limit = self.max().get(),
            rejected,
            "limit of {} calls in flight{target} reached: {rejected} {calls} rejected", self.max(),
        );
    }

    /// Adapts the limit to the response or the error of a call that started at `started`.
    fn adapt(&self, started: Instant, failed: bool) {
        let in_flight = self.in_flight();
        self.update(|gradient, adaptive, elapsed| {
            let started = started.saturating_duration_since(adaptive.created);
            let latency = elapsed.saturating_sub(started);
            if failed {
                gradient.on_error(elapsed, latency, in_flight, adaptive.settings)
            } else {
                gradient.on_response(elapsed, latency, in_flight, adaptive.settings)
            }
        });
    }

    /// Reports a rejected call to an adaptive limit.
    fn reject(&self) {
        self.update(|gradient, adaptive, elapsed| {
            gradient.on_rejection(elapsed, adaptive.settings)
        });
    }

    /// Passes an event to an adaptive limit. `event` takes the time since its creation, and returns
    /// a new limit, if there is one.
    fn update<F>(&self, event: F)
    where
        F: FnOnce(&mut GradientLimit, &AdaptiveState, Duration) -> Option<NonZeroU32>,
    {
        let Some(adaptive) = &self.adaptive else { return };
        let elapsed = adaptive.created.elapsed();
        let mut gradient = lock(&adaptive.gradient);
        let max = event(&mut gradient, adaptive, elapsed);
        // Stored under the lock, so that no older limit overwrites a newer one.
        if let Some(max) = max {
            self.max.store(max.get(), Ordering::Relaxed);
        }
        drop(gradient);
        if max.is_some() {
            crate::metrics::record_in_flight_limit(self.key.as_ref(), self.max());
        }
    }
}

impl Limit {
    #[inline]
    fn increment(&self) -> bool {
        let max = self.max().get();
        let increment = |in_flight| (in_flight < max).then_some(in_flight + 1);
        self.in_flight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, increment).is_ok()
    }

    /// Releases the permits of unread responses. Returns whether a permit was acquired then.
    #[cold]
    fn release_unread(&self, timeout: Duration) -> bool {
        let released = self.unread.release(timeout);
        self.in_flight.fetch_sub(released, Ordering::Relaxed);
        // Even if another call has released the permits, some may be left.
        self.increment()
    }
}

impl Permit {
    /// Acquires a permit, or returns the limit if it is reached. Releases permits of responses that
    /// were unread for `unread_timeout`.
    #[inline]
    pub(super) fn acquire(
        limit: ShardedArc<Limit>,
        unread_timeout: Duration,
    ) -> Result<Self, ShardedArc<Limit>> {
        let permit =
            |limit, started| Self { limit, started, body_wait: None, reading: Reading::Active };
        let acquired = limit.increment() || limit.release_unread(unread_timeout);
        match (acquired, &limit.adaptive) {
            (true, None) => Ok(permit(limit, None)),
            (true, Some(_)) => Ok(permit(limit, Some(Instant::now()))),
            (false, _) => {
                limit.reject();
                Err(limit)
            }
        }
    }

    /// Returns whether the limit is adaptive.
    pub(super) const fn measures_latency(&self) -> bool {
        self.started.is_some()
    }

    pub(super) fn exclude(&mut self, body_wait: Option<BodyWait>) {
        self.body_wait = body_wait;
    }

    /// Reports the response or the error of the service to an adaptive limit.
    #[inline]
    pub(super) fn record_outcome(&mut self, failed: bool) {
        if let Some(started) = self.started.take() {
            let waited = self.body_wait.as_ref().map(BodyWait::waited);
            self.limit.adapt(started + waited.unwrap_or_default(), failed);
        }
    }
}

impl CompletionObserver for Permit {
    fn on_complete(&mut self) {}

    fn on_error(&mut self, _error: &(dyn Error + 'static)) {}

    fn on_unread(&mut self) {
        let unread = &self.limit.unread;
        match self.reading {
            Reading::Active => self.reading = Reading::Unread(unread.enter()),
            Reading::Unread(period) if !unread.is_current(period) => {
                self.on_pending();
                if matches!(self.reading, Reading::Active) {
                    self.on_unread();
                }
            }
            Reading::Unread(_) | Reading::Released => {}
        }
    }

    fn on_pending(&mut self) {
        if let Reading::Unread(period) = self.reading {
            let is_held = self.limit.unread.leave(period);
            self.reading = if is_held { Reading::Active } else { Reading::Released };
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.on_pending();
        if matches!(self.reading, Reading::Active) {
            self.limit.in_flight.fetch_sub(1, Ordering::Relaxed);
        }
        // A subscriber that panics during a panic would abort the process.
        if !std::thread::panicking() {
            self.limit.emit_rejections(self.limit.rejections.take(Instant::now));
        }
    }
}

impl Evictable for Limit {
    fn is_evictable(&self, _now: Instant) -> bool {
        self.in_flight() == 0
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}
