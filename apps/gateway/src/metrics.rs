//! What the layers count, for Prometheus.

use std::time::Duration;

use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// How often what was measured is added up.
const UPKEEP: Duration = Duration::from_secs(5);

/// From here on everything is counted in this process.
pub(crate) fn install() -> Result<PrometheusHandle, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for name in ["http.client.request.duration", "http.server.request.duration"] {
        let name = Matcher::Full(name.into());
        builder = builder.set_buckets_for_metric(name, &seawall::metrics::DURATION_BUCKETS)?;
    }
    let handle = builder.install_recorder()?;
    seawall::metrics::describe();
    // Else what was measured is kept one by one until somebody asks, who may never come.
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}

/// `/metrics`, in the text format of Prometheus.
pub(crate) fn routes(handle: PrometheusHandle) -> Router {
    let text = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    let page = async move || ([text], handle.render());
    Router::new().route("/metrics", get(page))
}
