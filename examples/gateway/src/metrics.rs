//! What the layers count, for Prometheus.

use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// From here on everything is counted in this process.
pub(crate) fn install() -> Result<PrometheusHandle, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for name in ["http.client.request.duration", "http.server.request.duration"] {
        let name = Matcher::Full(name.into());
        builder = builder.set_buckets_for_metric(name, &seawall::metrics::DURATION_BUCKETS)?;
    }
    let handle = builder.install_recorder()?;
    seawall::metrics::describe();
    Ok(handle)
}

/// `/metrics`, in the text format of Prometheus.
pub(crate) fn routes(handle: PrometheusHandle) -> Router {
    let text = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    let page = async move || {
        // Else what was measured is kept one by one until it is asked for.
        handle.run_upkeep();
        ([text], handle.render())
    };
    Router::new().route("/metrics", get(page))
}
