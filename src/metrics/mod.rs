//! What is counted, for whoever installs a recorder of the [`metrics`](https://docs.rs/metrics) crate. Feature `metrics`.
//!
//! | name | kind | labels | counts |
//! |---|---|---|---|
//! | `seawall_attempts_total` | counter | `cause` | attempts that `RetryLayer` made, by what became of them; `none`: no failure |
//! | `seawall_retries_total` | counter | `outcome`: `success`, `failure` | those of them that were not the first of their call |
//! | `seawall_retries_exhausted_total` | counter | `stop_reason` | calls that ended in a failure which was not tried again, by why |
//! | `seawall_retry_budget_ratio` | gauge | | the part that is spent of the retries now allowed, 0 to 1, of the layer's own budget; where there are several layers, of the one that was asked last |
//! | `seawall_circuit_state` | gauge | `key`, `state`: `closed`, `open`, `half_open`, `forced_…` | 1 for the state a circuit is in, 0 for those it was in; from its first change on |
//! | `seawall_circuit_rejections_total` | counter | `key` | calls that an open circuit rejected |
//! | `seawall_in_flight_limit` | gauge | `key` | how many calls an adaptive limit of `InFlightLimitLayer` allows at present; from the first time it was measured on |
//! | `seawall_in_flight_rejections_total` | counter | `key` | calls beyond the limit of `InFlightLimitLayer` |
//! | `seawall_untracked_keys_total` | counter | `layer` | calls that passed uncounted, since there were too many keys, or theirs was too long |
//!
//! [`RequestDurationLayer`](crate::request_duration::RequestDurationLayer) measures `http.client.request.duration` and `http.server.request.duration`.
//!
//! `cause` is one of [`Cause`](crate::Cause)'s words and `stop_reason` one of `StopReason`'s, so there are a few dozen of each. `key` is left out
//! where there is one circuit for all and it has no name. Of keys, and of hosts with their ports, the first 4,096 of a process
//! together are told apart, if no longer than 1,024 bytes, and the rest are `other`, so that what callers ask for cannot fill a
//! recorder.
//!
//! # What it costs
//!
//! Nothing without the feature. With it, a recorder is looked for at each attempt; one that is installed costs what it
//! costs, and is never called under a lock.

mod label;
mod record;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

pub(crate) use self::{
    label::bounded,
    record::{
        record_attempt, record_budget_ratio, record_circuit_rejection, record_circuit_state,
        record_in_flight_limit, record_in_flight_rejection, record_retries_exhausted,
        record_untracked_key,
    },
};

/// The bucket boundaries, in seconds, that OpenTelemetry advises for the histograms `http.client.request.duration` and
/// `http.server.request.duration`. Pass them to the recorder, which cannot ask for them.
///
/// Source: <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/>.
pub const DURATION_BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Describes every metric to the recorder, with its unit. Call it once, after a recorder is installed.
pub fn describe() {
    describe_counter!(ATTEMPTS, Unit::Count, "Attempts made by RetryLayer, by what became of them");
    describe_counter!(RETRIES, Unit::Count, "Requests that were sent again, by how that ended");
    describe_counter!(RETRIES_EXHAUSTED, Unit::Count, "Failures that were not tried again, by why");
    describe_gauge!(BUDGET, "The part that is spent of the retries now allowed, 0 to 1");
    describe_gauge!(CIRCUIT_STATE, "1 for the state that a circuit is in");
    describe_counter!(CIRCUIT_REJECTIONS, Unit::Count, "Calls that an open circuit rejected");
    describe_gauge!(
        IN_FLIGHT_LIMIT,
        Unit::Count,
        "How many calls an adaptive limit allows in flight"
    );
    describe_counter!(
        IN_FLIGHT_REJECTIONS,
        Unit::Count,
        "Calls beyond the limit of calls in flight"
    );
    describe_histogram!(CLIENT_REQUEST_DURATION, Unit::Seconds, "Duration of HTTP client requests");
    describe_histogram!(SERVER_REQUEST_DURATION, Unit::Seconds, "Duration of HTTP server requests");
    describe_counter!(
        UNTRACKED_KEYS,
        Unit::Count,
        "Calls that passed since there were too many keys, or theirs was too long"
    );
}

const ATTEMPTS: &str = "seawall_attempts_total";
const RETRIES: &str = "seawall_retries_total";
const RETRIES_EXHAUSTED: &str = "seawall_retries_exhausted_total";
const BUDGET: &str = "seawall_retry_budget_ratio";
const CIRCUIT_STATE: &str = "seawall_circuit_state";
const CIRCUIT_REJECTIONS: &str = "seawall_circuit_rejections_total";
const IN_FLIGHT_LIMIT: &str = "seawall_in_flight_limit";
const IN_FLIGHT_REJECTIONS: &str = "seawall_in_flight_rejections_total";
const UNTRACKED_KEYS: &str = "seawall_untracked_keys_total";
pub(crate) const CLIENT_REQUEST_DURATION: &str = "http.client.request.duration";
pub(crate) const SERVER_REQUEST_DURATION: &str = "http.server.request.duration";
