use super::section;
use crate::{
    circuit_breaker::CircuitBreakerLayer as Layer,
    config::values::{Count, DurationValue, OrOff, Positive, RatioValue},
    standard::per_key::PerKeyCircuitBreakerLayer,
};

section! {
    /// A circuit breaker, with one circuit per host and port.
    CircuitBreaker {
        /// Ratio of failed calls in the window that opens the circuit. If "off", only consecutive
        /// failures open it.
        failure_ratio: OrOff<RatioValue>,
        /// Minimum number of calls in the window to open by ratio.
        min_calls: Count,
        /// Length of the sliding window.
        window: DurationValue<10>,
        /// Number of consecutive failures that opens the circuit.
        consecutive_failures: OrOff<Positive>,
        /// Duration from which a call counts as a failure.
        slow_call: OrOff<DurationValue<1>>,
        /// Duration for which the circuit stays open the first time.
        open_for: DurationValue<1>,
        /// Maximum to which that duration grows. At least `open_for`.
        open_max: DurationValue<1>,
        /// Maximum time that a `Retry-After` keeps the circuit open.
        retry_after_max: DurationValue,
        /// Number of calls admitted while the circuit is half-open.
        probes: Positive,
        /// Time that a probe occupies its slot.
        probe_lease: DurationValue<10>,
        /// Counts the origin's own errors, such as 500, as failures.
        count_origin_errors: bool,
        /// Counts and reports calls, but never rejects them.
        shadow: bool,
    }
}

impl CircuitBreaker {
    pub(crate) fn apply(&self, layer: PerKeyCircuitBreakerLayer) -> PerKeyCircuitBreakerLayer {
        let layer = self
            .failure_ratio
            .apply_to(layer, |layer, ratio| layer.set(|settings| settings.failure_ratio = ratio));
        let layer = self.min_calls.apply_to(layer, Layer::min_calls);
        let layer = self.window.apply_to(layer, Layer::window);
        let layer = self.consecutive_failures.apply_to(layer, |layer, failures| {
            layer.set(|settings| settings.consecutive_failures = failures)
        });
        let layer = self.slow_call.apply_to(layer, |layer, threshold| {
            layer.set(|settings| settings.slow_call_threshold = threshold)
        });
        let layer = self.open_for.apply_to(layer, Layer::open_duration);
        let layer = self.open_max.apply_to(layer, Layer::max_open_duration);
        let layer = self.retry_after_max.apply_to(layer, Layer::max_retry_after);
        let layer = self.probes.apply_to(layer, Layer::half_open_probes);
        let layer = self.probe_lease.apply_to(layer, Layer::probe_timeout);
        let layer = self.count_origin_errors.apply_to(layer, Layer::count_origin_errors);
        self.shadow.apply_to(layer, Layer::dry_run)
    }
}
