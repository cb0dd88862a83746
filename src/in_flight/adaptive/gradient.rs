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

/// The time in which the limit is reached and responses are slow, before the baseline is measured.
const MEASURE_AFTER: Duration = Duration::from_secs(10);

/// A measurement divides the limit by this number. Under overload, the limit settles at about twice
/// the calls that the upstream processes at once, so a quarter of it causes no queue. At the minimum
/// there may be a queue even then, but a shorter one, so the latency falls.
const MEASURE_DIVISOR: f64 = 4.0;

/// The part of the latency that remains in a measurement if there was no queue. With a queue, the
/// latency falls in proportion to the calls in flight (Little's law), thus to half or less.
const REMAINING_WITHOUT_QUEUE: f64 = 0.8;

#[derive(Debug)]
pub(crate) struct GradientLimit {
    limit: f64,
    baseline: Option<Baseline>,
    samples: SampleWindow,
    /// The duration of the sample windows that were slow and used the whole limit, since the last
    /// measurement.
    limited: Duration,
    measurement: Option<Measurement>,
}

/// A measurement of the baseline, with few calls in flight, as for `minRTT` in Envoy's gradient
/// controller (`source/extensions/filters/http/adaptive_concurrency`).
#[derive(Clone, Copy, Debug)]
struct Measurement {
    started: Duration,
    /// The mean latency of responses before, in seconds.
    latency: f64,
    /// The maximum time until the next response.
    patience: Duration,
    /// Without a response until then, the measurement is abandoned. Long downloads, for example,
    /// can hold all permits.
    deadline: Duration,
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
    /// Slow failures count as calls, but not as responses.
    responses: u32,
    /// The sum of the latencies of responses, in seconds.
    response_latency: f64,
    max_in_flight: u32,
    rejected: bool,
}

impl GradientLimit {
    pub(crate) fn new(settings: AdaptiveLimit) -> Self {
        Self {
            limit: settings.first().get().into(),
            baseline: None,
            samples: SampleWindow::default(),
            limited: Duration::ZERO,
            measurement: None,
        }
    }

    /// Records that a call was rejected. Returns a new limit, if there is one.
    pub(crate) fn on_rejection(
        &mut self,
        now: Duration,
        settings: AdaptiveLimit,
    ) -> Option<NonZeroU32> {
        self.samples.rejected = true;
        self.abandon_measurement(now, settings)
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
        // Timeouts take equally long with few calls in flight, and prove nothing about the queue.
        if self.measurement.is_some() {
            return self.abandon_measurement(now, settings);
        }
        let is_slow = |baseline: Baseline| latency.as_secs_f64() > TOLERANCE * baseline.latency;
        if !self.baseline.is_some_and(is_slow) {
            return None;
        }
        self.samples.add(now, latency, in_flight);
        self.end_window(now, settings)
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
        if let Some(limit) = self.abandon_measurement(now, settings) {
            return Some(limit);
        }
        if let Some(measurement) = &mut self.measurement {
            if now.saturating_sub(latency) < measurement.started {
                return None;
            }
            measurement.deadline = now.saturating_add(measurement.patience);
        }
        let samples = &mut self.samples;
        samples.add(now, latency, in_flight);
        samples.responses = samples.responses.saturating_add(1);
        samples.response_latency += latency.as_secs_f64();
        self.end_window(now, settings)
    }

    /// Returns the new limit, if the sample window ends now.
    fn end_window(&mut self, now: Duration, settings: AdaptiveLimit) -> Option<NonZeroU32> {
        let samples = &mut self.samples;
        // The window lasts for the mean latency at least, so it contains calls that started after
        // the last update.
        let mean = samples.total_latency / f64::from(samples.calls);
        let duration = now.saturating_sub(samples.started);
        if samples.calls < MIN_SAMPLES || duration < MIN_WINDOW || duration.as_secs_f64() < mean {
            return None;
        }
        let samples = std::mem::take(samples);
        if let Some(measurement) = self.measurement.take() {
            self.end_measurement(measurement, &samples);
            return Some(self.bounded_limit(settings));
        }
        if self.update(&samples, mean, duration) && self.limited >= MEASURE_AFTER {
            // A measurement has no failures, so its latency is compared with that of responses.
            let latency = samples.responses().map_or(mean, |responses| responses.latency);
            return Some(self.start_measurement(now, latency, settings));
        }
        Some(self.bounded_limit(settings))
    }

    /// Updates the limit. `latency` is the mean of `samples`, in seconds. Returns `true` if calls
    /// are slow and use the whole limit.
    fn update(&mut self, samples: &SampleWindow, latency: f64, duration: Duration) -> bool {
        let in_flight = f64::from(samples.max_in_flight);
        let limit_reached = samples.rejected || in_flight >= self.limit;
        if let Some(new) = samples.responses() {
            let baseline = self.baseline.get_or_insert(new);
            let is_faster = new.latency < baseline.latency;
            if is_faster || (limit_reached && in_flight <= baseline.in_flight) {
                baseline.smooth(new, MAX_SMOOTHING);
            } else if !limit_reached {
                let weight = duration.as_secs_f64() / BASELINE_WINDOW_SECS;
                baseline.smooth(new, weight.min(MAX_SMOOTHING));
            }
        }
        let tolerated = self.baseline.map_or(latency, |baseline| TOLERANCE * baseline.latency);
        let gradient = (tolerated / latency.max(f64::MIN_POSITIVE)).clamp(MIN_GRADIENT, 1.0);
        let is_used = in_flight >= self.limit / 2.0;
        if is_used {
            self.limit = self.limit * gradient + self.limit.sqrt();
        }
        let limited = limit_reached && gradient < 1.0;
        if limited {
            // Four windows at least, so that one slow window does not start a measurement.
            self.limited += duration.min(MEASURE_AFTER / 4);
        }
        limited
    }

    /// Returns the limit in whole calls, within its bounds.
    fn bounded_limit(&mut self, settings: AdaptiveLimit) -> NonZeroU32 {
        let rounded = NonZeroU32::new(self.limit as u32).unwrap_or(NonZeroU32::MIN);
        let bounded = settings.bounded(rounded);
        if bounded != rounded {
            self.limit = bounded.get().into();
        }
        bounded
    }

    /// Starts a measurement, and returns its limit. `latency` is the current one, in seconds.
    fn start_measurement(
        &mut self,
        now: Duration,
        latency: f64,
        settings: AdaptiveLimit,
    ) -> NonZeroU32 {
        self.limited = Duration::ZERO;
        self.bounded_limit(settings);
        // The calls in flight end, and then the first new one.
        let patience = Duration::try_from_secs_f64(3.0 * latency).unwrap_or(Duration::MAX);
        let patience = patience.saturating_add(MIN_WINDOW);
        let deadline = now.saturating_add(patience);
        self.measurement = Some(Measurement { started: now, latency, patience, deadline });
        // The minimum of the settings does not apply. Near it, the calls in flight would hardly
        // decrease, and their queue would look like the latency of the upstream itself.
        NonZeroU32::new((self.limit / MEASURE_DIVISOR) as u32).unwrap_or(NonZeroU32::MIN)
    }

    /// Adopts the baseline of a measurement, unless there was a queue in it.
    fn end_measurement(&mut self, measured: Measurement, samples: &SampleWindow) {
        let Some(new) = samples.responses() else { return };
        let baseline = self.baseline.get_or_insert(new);
        let has_no_queue = new.latency >= REMAINING_WITHOUT_QUEUE * measured.latency;
        if has_no_queue || new.latency < baseline.latency {
            *baseline = new;
        }
    }

    /// Returns the former limit if a measurement has passed its deadline.
    fn abandon_measurement(
        &mut self,
        now: Duration,
        settings: AdaptiveLimit,
    ) -> Option<NonZeroU32> {
        self.measurement.take_if(|measurement| now > measurement.deadline)?;
        self.samples = SampleWindow::default();
        Some(self.bounded_limit(settings))
    }
}

impl SampleWindow {
    fn add(&mut self, now: Duration, latency: Duration, in_flight: u32) {
        if self.calls == 0 {
            self.started = now;
        }
        self.calls = self.calls.saturating_add(1);
        self.total_latency += latency.as_secs_f64();
        self.max_in_flight = self.max_in_flight.max(in_flight);
    }

    /// Returns the mean latency of the responses, if there were any.
    fn responses(&self) -> Option<Baseline> {
        let responses = NonZeroU32::new(self.responses)?.get();
        let latency = self.response_latency / f64::from(responses);
        Some(Baseline { latency, in_flight: self.max_in_flight.into() })
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
