//! The functions that layers call to record a metric. Without the feature, `off.rs` takes their place.

use std::{num::NonZeroU32, sync::Arc};

use metrics::{SharedString, counter, gauge};
use seawall_core::Cause;

use super::{
    ATTEMPTS, BUDGET, CIRCUIT_REJECTIONS, CIRCUIT_STATE, IN_FLIGHT_LIMIT, IN_FLIGHT_REJECTIONS,
    RETRIES, RETRIES_EXHAUSTED, UNTRACKED_KEYS, label::bounded,
};

/// Counts an attempt that has ended. `attempt` starts at 1.
pub(crate) fn record_attempt(cause: Option<Cause>, attempt: u32) {
    counter!(ATTEMPTS, "cause" => cause.map_or("none", Cause::as_str)).increment(1);
    if attempt > 1 {
        let outcome = if cause.is_some() { "failure" } else { "success" };
        counter!(RETRIES, "outcome" => outcome).increment(1);
    }
}

/// Counts a failure that is not retried.
pub(crate) fn record_retries_exhausted(stop: &'static str) {
    counter!(RETRIES_EXHAUSTED, "stop_reason" => stop).increment(1);
}

/// Sets the spent part of a retry budget.
pub(crate) fn record_budget_ratio(spent: f64) {
    gauge!(BUDGET).set(spent);
}

/// Sets the state of a circuit.
pub(crate) fn record_circuit_state(key: Option<&Arc<str>>, old: &'static str, new: &'static str) {
    for (state, value) in [(old, 0.0), (new, 1.0)] {
        let mut labels = key_label(key);
        labels.push(("state", state.into()));
        gauge!(CIRCUIT_STATE, &labels).set(value);
    }
}

/// Counts a call that an open circuit rejected.
pub(crate) fn record_circuit_rejection(key: Option<&Arc<str>>) {
    counter!(CIRCUIT_REJECTIONS, &key_label(key)).increment(1);
}

/// Sets the present value of an adaptive limit.
pub(crate) fn record_in_flight_limit(key: Option<&Arc<str>>, limit: NonZeroU32) {
    gauge!(IN_FLIGHT_LIMIT, &key_label(key)).set(limit.get());
}

/// Counts a call that an in-flight limit rejected.
pub(crate) fn record_in_flight_rejection(key: Option<&Arc<str>>) {
    counter!(IN_FLIGHT_REJECTIONS, &key_label(key)).increment(1);
}

/// Counts a call that passed uncounted, because `layer` has too many keys.
pub(crate) fn record_untracked_key(layer: &'static str) {
    counter!(UNTRACKED_KEYS, "layer" => layer).increment(1);
}

/// Returns the label for `key`; none if there is no key.
fn key_label(key: Option<&Arc<str>>) -> Vec<(&'static str, SharedString)> {
    key.map(|key| ("key", bounded(key))).into_iter().collect()
}
