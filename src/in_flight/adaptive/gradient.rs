//! Adapts the limit by the latency of calls. Pure: the caller passes the time since a fixed moment.

use std::{num::NonZeroU32, time::Duration};

use super::AdaptiveLimit;

/// The minimum number of calls in a sample window. The mean of fewer calls is mostly noise.
const MIN_SAMPLES: u32 = 10;

/// The minimum duration of a sample window.
const MIN_WINDOW: Duration = Duration::from_millis(50);

/// The tolerated latency, as a multiple of the baseline.
const TOLERANCE: f64 = 2.0;

/// The limit shrinks by at most half per sample window.
const MIN_GRADIENT: f64 = 0.5;

/// The time in which the baseline is learned, in seconds.
const BASELINE_WINDOW_SECS: f64 = 30.0;

/// The maximum weight of a new sample window in the baseline.
const MAX_SMOOTHING: f64 = 0.2;

#[derive(Debug)]
pub(crate) struct GradientLimit {
    limit: f64,
    baseline: Option<Baseline>,
    samples: SampleWindow,
}

/// The upstream without a queue.
#[derive(Clone, Copy, Debug)]
struct Baseline {
    /// In seconds.
    latency: f64,
    in_flight: f64,
}

/// The calls since the last update of the limit.
#[derive(Debug, Default)]
struct SampleWindow {
    started: Duration,
    calls: u32,
    /// The sum of the latencies, in seconds.
    total_latency: f64,
    max_in_flight: u32,
    rejected: bool,
}

impl GradientLimit {
    pub(crate) fn new(settings: AdaptiveLimit) -> Self {
        Self {
            limit: settings.first().get().into(),
            baseline: None,
            samples: SampleWindow::default(),
        }
    }

    /// Records that a call was rejected.
    pub(crate) fn on_rejection(&mut self) {
        self.samples.rejected = true;
    }

    /// Records a failed call. It counts as a response if its latency exceeds the tolerated one.
    /// Returns a new limit, if there is one.
    pub(crate) fn on_error(
        &mut self,
        now: Duration,
        latency: Duration,
        in_flight: u32,
        settings: AdaptiveLimit,
    ) -> Option<NonZeroU32> {
        let is_slow = |baseline: Baseline| latency.as_secs_f64() > TOLERANCE * baseline.latency;
        self.baseline
            .is_some_and(is_slow)
            .then(|| self.on_response(now, latency, in_flight, settings))?
    }

    /// Records the response of a call. `in_flight` includes the call. Returns a new limit, if there
    /// is one.
    pub(crate) fn on_response(
        &mut self,
        now: Duration,
        latency: Duration,
        in_flight: u32,
        settings: AdaptiveLimit,
    ) -> Option<NonZeroU32> {
        let samples = &mut self.samples;
        if samples.calls == 0 {
            samples.started = now;
        }
        samples.calls = samples.calls.saturating_add(1);
        samples.total_latency += latency.as_secs_f64();
        samples.max_in_flight = samples.max_in_flight.max(in_flight);
        // The window lasts for the mean latency at least, so it contains calls that started after
        // the last update.
        let mean = samples.total_latency / f64::from(samples.calls);
        let duration = now.saturating_sub(samples.started);
        if samples.calls < MIN_SAMPLES || duration < MIN_WINDOW || duration.as_secs_f64() < mean {
            return None;
        }
        let samples = std::mem::take(samples);
        Some(self.update(&samples, mean, duration, settings))
    }

    /// Returns the new limit. `latency` is the mean of `samples`, in seconds.
    fn update(
        &mut self,
        samples: &SampleWindow,
        latency: f64,
        duration: Duration,
        settings: AdaptiveLimit,
    ) -> NonZeroU32 {
        let in_flight = f64::from(samples.max_in_flight);
        let limit_reached = samples.rejected || in_flight >= self.limit;
        let new = Baseline { latency, in_flight };
        let baseline = self.baseline.get_or_insert(new);
        if latency < baseline.latency || (limit_reached && in_flight <= baseline.in_flight) {
            baseline.smooth(new, MAX_SMOOTHING);
        } else if !limit_reached {
            baseline
                .smooth(new, (duration.as_secs_f64() / BASELINE_WINDOW_SECS).min(MAX_SMOOTHING));
        }
        let gradient = (TOLERANCE * baseline.latency / latency.max(f64::MIN_POSITIVE))
            .clamp(MIN_GRADIENT, 1.0);
        let is_used = in_flight >= self.limit / 2.0;
        if is_used {
            self.limit = self.limit * gradient + self.limit.sqrt();
        }
        let rounded = NonZeroU32::new(self.limit as u32).unwrap_or(NonZeroU32::MIN);
        let bounded = settings.bounded(rounded);
        if bounded != rounded {
            self.limit = bounded.get().into();
        }
        bounded
    }
}

impl Baseline {
    /// Moves the baseline toward `new`. A `weight` of 1 replaces the baseline.
    fn smooth(&mut self, new: Self, weight: f64) {
        self.latency += weight * (new.latency - self.latency);
        self.in_flight += weight * (new.in_flight - self.in_flight);
    }
}

#[cfg(test)]
mod tests;
