//! What is learned of an upstream, and the limit that follows from it. Pure: time is handed in, counted from any fixed moment.

use std::{num::NonZeroU32, time::Duration};

use super::AdaptiveLimit;

/// Fewer calls, and a shorter time, are chance.
const MIN_SAMPLES: u32 = 10;
const MIN_WINDOW: Duration = Duration::from_millis(50);

/// Responses may take so many times as long as they do without a queue.
const TOLERANCE: f64 = 2.0;

/// The limit shrinks to half at most at a time.
const MIN_GRADIENT: f64 = 0.5;

/// How long it takes to learn what is normal, in seconds.
const BASELINE_WINDOW_SECS: f64 = 30.0;

/// The part of what is new that is taken over at once where there is no doubt.
const MAX_SMOOTHING: f64 = 0.2;

#[derive(Debug)]
pub(crate) struct GradientLimit {
    limit: f64,
    baseline: Option<Baseline>,
    samples: SampleWindow,
}

/// How the upstream is without a queue.
#[derive(Clone, Copy, Debug)]
struct Baseline {
    /// Seconds.
    latency: f64,
    in_flight: f64,
}

/// The calls that are measured now.
#[derive(Debug, Default)]
struct SampleWindow {
    started: Duration,
    calls: u32,
    /// Seconds.
    sum: f64,
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

    /// A call was refused.
    pub(crate) fn rejected(&mut self) {
        self.samples.rejected = true;
    }

    /// A call failed after this time. That counts if it was long.
    pub(crate) fn failed(
        &mut self,
        now: Duration,
        latency: Duration,
        in_flight: u32,
        settings: AdaptiveLimit,
    ) -> Option<NonZeroU32> {
        let is_long = |baseline: Baseline| latency.as_secs_f64() > TOLERANCE * baseline.latency;
        self.baseline
            .is_some_and(is_long)
            .then(|| self.latency(now, latency, in_flight, settings))?
    }

    /// The response to a call came after this time, while so many were under way, it included. Gives the limit, if there is a
    /// new one.
    pub(crate) fn latency(
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
        samples.sum += latency.as_secs_f64();
        samples.max_in_flight = samples.max_in_flight.max(in_flight);
        // So long that those which came after the last change are among them.
        let mean = samples.sum / f64::from(samples.calls);
        let duration = now.saturating_sub(samples.started);
        if samples.calls < MIN_SAMPLES || duration < MIN_WINDOW || duration.as_secs_f64() < mean {
            return None;
        }
        let samples = std::mem::take(samples);
        Some(self.update(&samples, mean, duration, settings))
    }

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
        let whole = NonZeroU32::new(self.limit as u32).unwrap_or(NonZeroU32::MIN);
        let bounded = settings.bounded(whole);
        if bounded != whole {
            self.limit = bounded.get().into();
        }
        bounded
    }
}

impl Baseline {
    fn smooth(&mut self, new: Self, part: f64) {
        self.latency += part * (new.latency - self.latency);
        self.in_flight += part * (new.in_flight - self.in_flight);
    }
}

#[cfg(test)]
mod tests;
