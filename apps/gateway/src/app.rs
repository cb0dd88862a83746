//! The axum router: all services, the dashboard and the metrics.

use axum::{
    Router,
    http::HeaderMap,
    middleware,
    routing::{MethodRouter, get},
};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{
    access::{self, AdminAccess},
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
    let admin = services.admin();
    let own = own_routes(get(index), dashboard, prometheus, admin);
    Router::new().fallback_service(services).merge(own)
}

/// Returns the routes of the dashboard, the metrics and the controls, which have one access policy.
fn own_routes(
    index: MethodRouter,
    dashboard: Dashboard,
    prometheus: PrometheusHandle,
    admin: AdminAccess,
) -> Router {
    Router::new()
        .route("/", index)
        .merge(dashboard.routes())
        .merge(metrics::routes(prometheus))
        .route_layer(middleware::from_fn_with_state(admin, access::require_admin))
        // Comes after the layer, because health checks come from other hosts without a token.
        .route("/@/health", get(async || "ok\n"))
}
