//! The axum router: all services, the dashboard and the metrics.

use axum::{Router, http::HeaderMap, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{
    dashboard::{self, Dashboard},
    engine::ReloadableRouter,
    metrics,
};

/// Serves each service at `/NAME` and the dashboard at `/`.
pub(crate) fn router(
    services: ReloadableRouter,
    dashboard: Dashboard,
    prometheus: PrometheusHandle,
) -> Router {
    let index_services = services.clone();
    let index = async move |headers: HeaderMap| {
        dashboard::index(&headers, format!("seawall gateway. {}", index_services.index_text()))
    };
    Router::new()
        .route("/", get(index))
        .fallback_service(services)
        .merge(dashboard.routes())
        .merge(metrics::routes(prometheus))
}
