//! Functions that layers call to record a metric. Without the feature, `off.rs` replaces them.

use std::{num::NonZeroU32, sync::Arc};

use http::HeaderName;
use metrics::{Label, counter, gauge};
use seawall_core::Cause;

use super::{
    ATTEMPTS, BROKEN_STREAMS, BUDGET_RATIO, CIRCUIT_REJECTIONS, CIRCUIT_STATE, DROPPED_HEADERS,
    FAILURES_BEFORE_COMMIT, IN_FLIGHT_LIMIT, IN_FLIGHT_REJECTIONS, RETRIES, RETRIES_EXHAUSTED,
    UNTRACKED_KEYS, label::bounded_label,
};

/// Counts an attempt that has ended. `attempt` starts at 1.
pub(crate) fn record_attempt(key: Option<&Arc<str>>, cause: Option<Cause>, attempt: u32) {
    let labels = labels_with(key, "cause", cause.map_or("none", Cause::as_str));
    counter!(ATTEMPTS, labels).increment(1);
    if attempt > 1 {
        let outcome = if cause.is_some() { "failure" } else { "success" };
        counter!(RETRIES, labels_with(key, "outcome", outcome)).increment(1);
    }
}

/// Counts a failure that is not retried.
pub(crate) fn record_retries_exhausted(key: Option<&Arc<str>>, stop_reason: &'static str) {
    counter!(RETRIES_EXHAUSTED, labels_with(key, "stop_reason", stop_reason)).increment(1);
}

/// Sets the spent part of a retry budget, from 0 to 1.
pub(crate) fn record_budget_ratio(key: Option<&Arc<str>>, ratio: f64) {
    gauge!(BUDGET_RATIO, key_label(key)).set(ratio);
}

/// Sets the gauge of a circuit's old state to 0 and of its new state to 1.
pub(crate) fn record_circuit_state(key: Option<&Arc<str>>, old: &'static str, new: &'static str) {
    for (state, value) in [(old, 0.0), (new, 1.0)] {
        gauge!(CIRCUIT_STATE, labels_with(key, "state", state)).set(value);
    }
}

/// Counts a call that an open circuit rejected.
pub(crate) fn record_circuit_rejection(key: Option<&Arc<str>>) {
    counter!(CIRCUIT_REJECTIONS, key_label(key)).increment(1);
}

/// Sets the current value of an adaptive limit.
pub(crate) fn record_in_flight_limit(key: Option<&Arc<str>>, limit: NonZeroU32) {
    gauge!(IN_FLIGHT_LIMIT, key_label(key)).set(limit.get());
}

/// Counts a call that an in-flight limit rejected.
pub(crate) fn record_in_flight_rejection(key: Option<&Arc<str>>) {
    counter!(IN_FLIGHT_REJECTIONS, key_label(key)).increment(1);
}

/// Counts a response that failed while it was held.
pub(crate) fn record_failure_before_commit(cause: Cause) {
    counter!(FAILURES_BEFORE_COMMIT, "cause" => cause.as_str()).increment(1);
}

/// Counts an event stream that broke off after its commit.
pub(crate) fn record_broken_stream(cause: Cause) {
    counter!(BROKEN_STREAMS, "cause" => cause.as_str()).increment(1);
}

/// Counts a call that `layer` passed without tracking, because it has too many keys or the key is
/// too long.
pub(crate) fn record_untracked_key(layer: &'static str) {
    counter!(UNTRACKED_KEYS, "layer" => layer).increment(1);
}

/// Counts a header that did not fit into a full map. Its name is one of this crate or of the program.
pub(crate) fn record_dropped_header(name: &HeaderName) {
    counter!(DROPPED_HEADERS, "header" => name.as_str().to_owned()).increment(1);
}

/// Returns the label for `key`, or no label without a key.
fn key_label(key: Option<&Arc<str>>) -> Vec<Label> {
    key.map(|key| Label::new("key", bounded_label(key))).into_iter().collect()
}

/// Returns the label for `key`, and another label.
fn labels_with(key: Option<&Arc<str>>, name: &'static str, value: &'static str) -> Vec<Label> {
    let mut labels = Vec::with_capacity(2);
    labels.extend(key.map(|key| Label::new("key", bounded_label(key))));
    labels.push(Label::from_static_parts(name, value));
    labels
}
