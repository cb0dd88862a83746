//! The Prometheus metrics of the layers.

use std::time::Duration;

use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Installs the process-wide metrics recorder.
pub(crate) fn install() -> Result<PrometheusHandle, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for name in ["http.client.request.duration", "http.server.request.duration"] {
        let name = Matcher::Full(name.into());
        builder = builder.set_buckets_for_metric(name, seawall::metrics::DURATION_BUCKETS)?;
    }
    let handle = builder.install_recorder()?;
    seawall::metrics::describe();
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

/// Serves `/metrics` in the Prometheus text format.
pub(crate) fn routes(handle: PrometheusHandle) -> Router {
    let content_type = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    let render = async move || ([content_type], handle.render());
    Router::new().route("/metrics", get(render))
}
