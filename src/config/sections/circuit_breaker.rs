use super::section;
use crate::{
    circuit_breaker::CircuitBreakerLayer as Layer,
    config::values::{Count, DurationValue, OrOff, Positive, RatioValue},
    standard::per_key::PerKeyCircuitBreakerLayer,
};

section! {
    /// When calls of an upstream are refused because it is down: one circuit for each host and port.
    CircuitBreaker {
        /// Opens when this part of the calls in the window failed, or more; if off, only after so many failures in a row.
        failure_ratio: OrOff<RatioValue>,
        /// Does not open by that while there are fewer calls in the window.
        min_calls: Count,
        /// The time that is looked back on.
        window: DurationValue<10>,
        /// Opens as well after so many failures in a row.
        consecutive_failures: OrOff<Positive>,
        /// Calls that take so long count as failures.
        slow_call: OrOff<DurationValue<1>>,
        /// How long it stays open the first time.
        open_for: DurationValue<1>,
        /// How long it stays open at the longest; not below `open_for`.
        open_max: DurationValue<1>,
        /// How long a `Retry-After` may keep it open.
        retry_after_max: DurationValue,
        /// How many calls pass while it is half-open.
        probes: Positive,
        /// How long each of them keeps its place.
        probe_lease: DurationValue<10>,
        /// Whether 500 and other errors of the origin's own count.
        count_origin_errors: bool,
        /// Counts and reports, but never refuses.
        shadow: bool,
    }
}

impl CircuitBreaker {
    pub(crate) fn apply<K>(
        &self,
        layer: PerKeyCircuitBreakerLayer<K>,
    ) -> PerKeyCircuitBreakerLayer<K> {
        let layer = self.failure_ratio.apply_to(layer, Layer::failure_ratio);
        let layer = self.min_calls.apply_to(layer, Layer::min_calls);
        let layer = self.window.apply_to(layer, Layer::window);
        let layer = self.consecutive_failures.apply_to(layer, Layer::consecutive_failures);
        let layer = self.slow_call.apply_to(layer, Layer::slow_call_threshold);
        let layer = self.open_for.apply_to(layer, Layer::open_duration);
        let layer = self.open_max.apply_to(layer, Layer::max_open_duration);
        let layer = self.retry_after_max.apply_to(layer, Layer::max_retry_after);
        let layer = self.probes.apply_to(layer, Layer::half_open_probes);
        let layer = self.probe_lease.apply_to(layer, Layer::probe_timeout);
        let layer = self.count_origin_errors.apply_to(layer, Layer::count_origin_errors);
        self.shadow.apply_to(layer, Layer::dry_run)
    }
}
