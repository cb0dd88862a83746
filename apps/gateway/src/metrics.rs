//! The Prometheus metrics of the layers, the server and the process.

mod process;

use std::time::Duration;

use ::metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::{log, server::ServerStatus};

const CONNECTIONS: &str = "seawall_gateway_connections";
const MAX_CONNECTIONS: &str = "seawall_gateway_max_connections";

const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The number of lines that standard error did not accept.
const DROPPED_LOG_LINES: &str = "seawall_gateway_log_lines_dropped_total";

/// The number of requests that the policy of the dashboard refused, by status.
pub(crate) const ADMIN_REFUSALS: &str = "seawall_gateway_admin_refusals_total";

/// 1 if the last reload was refused, and otherwise 0.
const RELOAD_FAILED: &str = "seawall_gateway_reload_failed";

/// Installs the process-wide metrics recorder.
pub(crate) fn install() -> Result<PrometheusHandle, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for name in ["http.client.request.duration", "http.server.request.duration"] {
        let name = Matcher::Full(name.into());
        builder = builder.set_buckets_for_metric(name, seawall::metrics::DURATION_BUCKETS)?;
    }
    let handle = builder.install_recorder()?;
    seawall::metrics::describe();
    describe_gauge!(CONNECTIONS, Unit::Count, "Open connections of callers");
    describe_gauge!(MAX_CONNECTIONS, Unit::Count, "Maximum number of connections of callers");
    process::describe();
    describe_counter!(DROPPED_LOG_LINES, "Lines of the log that were lost");
    describe_counter!(ADMIN_REFUSALS, "Refused requests to the dashboard, metrics and controls");
    describe_gauge!(RELOAD_FAILED, "Whether the last reload of the configuration was refused");
    record_reload(true);
    // Without upkeep, histogram samples accumulate until the next scrape.
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
        loop {
            ticks.tick().await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}

/// Records whether a reload has succeeded.
pub(crate) fn record_reload(succeeded: bool) {
    gauge!(RELOAD_FAILED).set(if succeeded { 0.0 } else { 1.0 });
}

/// Serves `/metrics` in the Prometheus text format.
///
/// The gauges of the server and the process are read at the time of a scrape.
pub(crate) fn routes(handle: PrometheusHandle, status: ServerStatus) -> Router {
    let content_type = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    let render = async move || {
        let (connections, max_connections) = status.connections();
        gauge!(CONNECTIONS).set(connections);
        gauge!(MAX_CONNECTIONS).set(max_connections);
        process::record();
        // The thread of the log does not know the recorder.
        counter!(DROPPED_LOG_LINES).absolute(log::dropped_lines());
        ([content_type], handle.render())
    };
    Router::new().route("/metrics", get(render))
}
