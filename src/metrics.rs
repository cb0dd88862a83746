//! What is counted, for whoever installs a recorder of the [`metrics`](https://docs.rs/metrics) crate. Feature `metrics`.
//!
//! | name | kind | labels | counts |
//! |---|---|---|---|
//! | `seawall_attempts_total` | counter | `cause` | attempts that `RetryLayer` made, by what became of them; `none`: no failure |
//! | `seawall_retries_total` | counter | `outcome`: `success`, `failure` | those of them that were not the first of their call |
//! | `seawall_give_ups_total` | counter | `stop` | calls that ended in a failure which was not tried again, by why |
//! | `seawall_retry_budget_ratio` | gauge | | the part that is spent of the retries now allowed, 0 to 1, of the layer's own budget; where there are several layers, of the one that was asked last |
//! | `seawall_circuit_state` | gauge | `key`, `state`: `closed`, `open`, `half_open`, `forced_…` | 1 for the state a circuit is in, 0 for those it was in; from its first change on |
//! | `seawall_circuit_rejections_total` | counter | `key` | calls that an open circuit rejected |
//! | `seawall_in_flight_limit` | gauge | `key` | how many calls an adaptive limit of `InFlightLimitLayer` allows at present; from the first time it was measured on |
//! | `seawall_in_flight_rejections_total` | counter | `key` | calls beyond the limit of `InFlightLimitLayer` |
//! | `seawall_keys_overflow_total` | counter | `layer` | calls that passed uncounted, since there were too many keys, or theirs was too long |
//!
//! [`RequestDurationLayer`](crate::RequestDurationLayer) measures `http.client.request.duration` and `http.server.request.duration`.
//!
//! `cause` is one of [`Cause`]'s words and `stop` one of `Stop`'s, so there are a few dozen of each. `key` is left out
//! where there is one circuit for all and it has no name. Of keys, and of hosts with their ports, the first 4,096 of a process
//! together are told apart, if no longer than 1,024 bytes, and the rest are `other`, so that what callers ask for cannot fill a
//! recorder.
//!
//! # What it costs
//!
//! Nothing without the feature. With it, a recorder is looked for at each attempt; one that is installed costs what it
//! costs, and is never called under a lock.

#![cfg_attr(not(feature = "full"), allow(dead_code, unused_imports))]

use std::{
    collections::HashSet,
    num::NonZeroU32,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use metrics::{
    SharedString, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
};

use crate::Cause;

/// The boundaries, in seconds, that OpenTelemetry advises for the histograms `http.client.request.duration` and
/// `http.server.request.duration`: to be given to the recorder, which has no way to ask for them.
///
/// Source: <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/>.
pub const DURATION_BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Tells the recorder what each of them means, and its unit. To be called once, after a recorder was installed.
pub fn describe() {
    describe_counter!(ATTEMPTS, Unit::Count, "Attempts made by RetryLayer, by what became of them");
    describe_counter!(RETRIES, Unit::Count, "Requests that were sent again, by how that ended");
    describe_counter!(GIVE_UPS, Unit::Count, "Failures that were not tried again, by why");
    describe_gauge!(BUDGET, "The part that is spent of the retries now allowed, 0 to 1");
    describe_gauge!(CIRCUIT, "1 for the state that a circuit is in");
    describe_counter!(OPEN, Unit::Count, "Calls that an open circuit rejected");
    describe_gauge!(LIMIT, Unit::Count, "How many calls an adaptive limit allows in flight");
    describe_counter!(SHED, Unit::Count, "Calls beyond the limit of calls in flight");
    describe_histogram!(CLIENT, Unit::Seconds, "Duration of HTTP client requests");
    describe_histogram!(SERVER, Unit::Seconds, "Duration of HTTP server requests");
    describe_counter!(
        OVERFLOW,
        Unit::Count,
        "Calls that passed since there were too many keys, or theirs was too long"
    );
}

const ATTEMPTS: &str = "seawall_attempts_total";
const RETRIES: &str = "seawall_retries_total";
const GIVE_UPS: &str = "seawall_give_ups_total";
const BUDGET: &str = "seawall_retry_budget_ratio";
const CIRCUIT: &str = "seawall_circuit_state";
const OPEN: &str = "seawall_circuit_rejections_total";
const LIMIT: &str = "seawall_in_flight_limit";
const SHED: &str = "seawall_in_flight_rejections_total";
const OVERFLOW: &str = "seawall_keys_overflow_total";
pub(crate) const CLIENT: &str = "http.client.request.duration";
pub(crate) const SERVER: &str = "http.server.request.duration";

/// So many keys are told apart.
const KEYS_MAX: usize = 4_096;
/// So long is one that is told apart, in bytes: four times as long as a name of a host can be.
const KEY_LONGEST: usize = 1_024;

/// The label for `key`; none where there are no keys.
fn key(key: Option<&Arc<str>>) -> Vec<(&'static str, SharedString)> {
    key.map(|key| ("key", bounded(key))).into_iter().collect()
}

/// A label for what others can make up: itself, or `other` if there are too many of them, or it is too long.
pub(crate) fn bounded(label: &str) -> SharedString {
    static KNOWN: OnceLock<RwLock<HashSet<Arc<str>>>> = OnceLock::new();
    if label.len() > KEY_LONGEST {
        return "other".into();
    }
    let known = KNOWN.get_or_init(RwLock::default);
    // Every request asks, and nearly always for one that is known.
    if let Some(label) = known.read().unwrap_or_else(PoisonError::into_inner).get(label) {
        return Arc::clone(label).into();
    }
    let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
    if !known.contains(label) && known.len() == KEYS_MAX {
        return "other".into();
    }
    let label: Arc<str> = label.into();
    known.insert(Arc::clone(&label));
    label.into()
}

/// An attempt has ended; `attempt` counts from 1.
#[cfg(feature = "retry")]
pub(crate) fn attempt(cause: Option<Cause>, attempt: u32) {
    counter!(ATTEMPTS, "cause" => cause.map_or("none", Cause::as_str)).increment(1);
    if attempt > 1 {
        let outcome = if cause.is_some() { "failure" } else { "success" };
        counter!(RETRIES, "outcome" => outcome).increment(1);
    }
}

/// A failure is not tried again.
#[cfg(feature = "retry")]
pub(crate) fn gave_up(stop: &'static str) {
    counter!(GIVE_UPS, "stop" => stop).increment(1);
}

#[cfg(feature = "retry")]
pub(crate) fn budget(spent: f64) {
    gauge!(BUDGET).set(spent);
}

#[cfg(feature = "circuit-breaker")]
pub(crate) fn circuit(of: Option<&Arc<str>>, old: &'static str, new: &'static str) {
    for (state, value) in [(old, 0.0), (new, 1.0)] {
        let mut labels = key(of);
        labels.push(("state", state.into()));
        gauge!(CIRCUIT, &labels).set(value);
    }
}

#[cfg(feature = "circuit-breaker")]
pub(crate) fn rejected(of: Option<&Arc<str>>) {
    counter!(OPEN, &key(of)).increment(1);
}

#[cfg(feature = "in-flight")]
pub(crate) fn in_flight_limit(of: Option<&Arc<str>>, limit: NonZeroU32) {
    gauge!(LIMIT, &key(of)).set(limit.get());
}

#[cfg(feature = "in-flight")]
pub(crate) fn shed(of: Option<&Arc<str>>) {
    counter!(SHED, &key(of)).increment(1);
}

#[cfg(any(feature = "circuit-breaker", feature = "in-flight"))]
pub(crate) fn overflow(layer: &'static str) {
    counter!(OVERFLOW, "layer" => layer).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_others_make_up_so_much_is_told_apart_and_the_rest_is_other() {
        for number in 0..KEYS_MAX {
            let label = number.to_string();
            assert_eq!(&*bounded(&label), label);
        }
        assert_eq!(&*bounded("one more"), "other");
        assert_eq!(&*bounded("7"), "7");
    }
}
