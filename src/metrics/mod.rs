//! Metrics of the layers, for a recorder of the [`metrics`](https://docs.rs/metrics) crate. Feature
//! `metrics`.
//!
//! | name | kind | labels | value |
//! |---|---|---|---|
//! | `seawall_attempts_total` | counter | `key`, `cause` | attempts made by `RetryLayer`, by cause of failure; `none` for a success |
//! | `seawall_retries_total` | counter | `key`, `outcome`: `success`, `failure` | attempts after the first of their call |
//! | `seawall_retries_exhausted_total` | counter | `key`, `stop_reason` | calls that ended in a failure that was not retried, by reason |
//! | `seawall_retry_budget_ratio` | gauge | `key` | the spent part, 0 to 1, of the retries that a budget currently allows, at its last use; layers without a key share one value |
//! | `seawall_circuit_state` | gauge | `key`, `state`: `closed`, `open`, `half_open`, `forced_…` | 1 for the current state of a circuit, 0 for its earlier states; set from its first state change on |
//! | `seawall_circuit_rejections_total` | counter | `key` | calls rejected by an open circuit |
//! | `seawall_in_flight_limit` | gauge | `key` | the current maximum of an adaptive limit of `InFlightLimitLayer`; set from its first measurement on |
//! | `seawall_in_flight_rejections_total` | counter | `key` | calls rejected by `InFlightLimitLayer` |
//! | `seawall_failures_before_commit_total` | counter | `cause` | responses that failed while `CommitLayer` held them |
//! | `seawall_broken_streams_total` | counter | `cause` | event streams that broke off after `CommitLayer` had committed them |
//! | `seawall_untracked_keys_total` | counter | `layer` | calls that a layer passed without tracking, because it has too many keys or the key is too long |
//! | `seawall_dropped_headers_total` | counter | `header` | headers of a layer that did not fit into a full header map |
//!
//! [`RequestDurationLayer`](crate::request_duration::RequestDurationLayer) measures
//! `http.client.request.duration` and `http.server.request.duration`.
//!
//! # Labels
//!
//! `cause` is the name of a [`Cause`](crate::Cause), and `stop_reason` that of a
//! [`StopReason`](crate::retry::StopReason). Each has a few dozen values at most. `key` is
//! that of the circuit, the limit or the retry budget of a call. In a
//! [`StandardLayer`](crate::standard::StandardLayer), it is the host and port, or the name of the
//! stack. It is omitted if a layer has one unnamed circuit, limit or budget for all calls.
//!
//! The values of `key`, and hosts with their ports, share one bound, so that callers cannot fill a
//! recorder. The first 4,096 values of a process with at most 1,024 bytes each are recorded
//! unchanged. Any other value is recorded as `other`.
//!
//! # Cost
//!
//! Without the feature, none. With it, each attempt looks up the recorder. The recorder is never
//! called while a lock is held.

mod label;
mod record;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

pub(crate) use self::{
    label::bounded_label,
    record::{
        record_attempt, record_broken_stream, record_budget_ratio, record_circuit_rejection,
        record_circuit_state, record_dropped_header, record_failure_before_commit,
        record_in_flight_limit, record_in_flight_rejection, record_retries_exhausted,
        record_untracked_key,
    },
};

/// The bucket boundaries, in seconds, that OpenTelemetry recommends for the histograms
/// `http.client.request.duration` and `http.server.request.duration`.
///
/// Pass them to the recorder when you configure it, such as by `set_buckets` of
/// `metrics-exporter-prometheus`. A layer cannot set them.
///
/// Source: <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/>.
pub const DURATION_BUCKETS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Describes every metric to the recorder, with its unit. Call it once, after installing a
/// recorder.
pub fn describe() {
    describe_counter!(ATTEMPTS, Unit::Count, "Attempts made by RetryLayer, by cause of failure");
    describe_counter!(RETRIES, Unit::Count, "Attempts after the first of their call, by outcome");
    describe_counter!(
        RETRIES_EXHAUSTED,
        Unit::Count,
        "Calls that ended in a failure that was not retried, by reason"
    );
    describe_gauge!(BUDGET_RATIO, "Spent part of the retries that the budget allows, 0 to 1");
    describe_gauge!(CIRCUIT_STATE, "1 for the current state of a circuit, 0 for earlier states");
    describe_counter!(CIRCUIT_REJECTIONS, Unit::Count, "Calls rejected by an open circuit");
    describe_gauge!(
        IN_FLIGHT_LIMIT,
        Unit::Count,
        "Current maximum of calls in flight of an adaptive limit"
    );
    describe_counter!(IN_FLIGHT_REJECTIONS, Unit::Count, "Calls rejected by an in-flight limit");
    describe_histogram!(CLIENT_REQUEST_DURATION, Unit::Seconds, "Duration of HTTP client requests");
    describe_histogram!(SERVER_REQUEST_DURATION, Unit::Seconds, "Duration of HTTP server requests");
    describe_counter!(
        FAILURES_BEFORE_COMMIT,
        Unit::Count,
        "Responses that failed while they were held"
    );
    describe_counter!(
        BROKEN_STREAMS,
        Unit::Count,
        "Event streams that broke off after their commit"
    );
    describe_counter!(
        UNTRACKED_KEYS,
        Unit::Count,
        "Calls not tracked because of too many keys or a key that is too long"
    );
    describe_counter!(
        DROPPED_HEADERS,
        Unit::Count,
        "Headers of a layer that did not fit into a full header map"
    );
}

const ATTEMPTS: &str = "seawall_attempts_total";
const RETRIES: &str = "seawall_retries_total";
const RETRIES_EXHAUSTED: &str = "seawall_retries_exhausted_total";
const BUDGET_RATIO: &str = "seawall_retry_budget_ratio";
const CIRCUIT_STATE: &str = "seawall_circuit_state";
const CIRCUIT_REJECTIONS: &str = "seawall_circuit_rejections_total";
const IN_FLIGHT_LIMIT: &str = "seawall_in_flight_limit";
const IN_FLIGHT_REJECTIONS: &str = "seawall_in_flight_rejections_total";
const FAILURES_BEFORE_COMMIT: &str = "seawall_failures_before_commit_total";
const BROKEN_STREAMS: &str = "seawall_broken_streams_total";
const DROPPED_HEADERS: &str = "seawall_dropped_headers_total";
const UNTRACKED_KEYS: &str = "seawall_untracked_keys_total";
pub(crate) const CLIENT_REQUEST_DURATION: &str = "http.client.request.duration";
pub(crate) const SERVER_REQUEST_DURATION: &str = "http.server.request.duration";
