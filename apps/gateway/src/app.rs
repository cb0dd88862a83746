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
    metrics, status,
};

/// Serves each service at `/NAME` and the dashboard at `/`.
pub(crate) fn router(
    services: ReloadableRouter,
    dashboard: Dashboard,
    prometheus: PrometheusHandle,
) -> Router {
    let dashboard_routes = dashboard.routes();
    let index_services = services.clone();
    let index = async move |headers: HeaderMap| {
        dashboard::index(&headers, format!("seawall gateway. {}", index_services.index_text()))
    };
    let admin = services.admin();
    let pages =
        dashboard_routes.merge(metrics::routes(prometheus)).merge(status::routes(services.clone()));
    let own = own_routes(get(index), pages, admin);
    Router::new().fallback_service(services).merge(own)
}

/// Returns the routes of the dashboard, the metrics, the status and the controls, which have one access policy.
fn own_routes(index: MethodRouter, pages: Router, admin: AdminAccess) -> Router {
    Router::new()
        .route("/", index)
        .merge(pages)
        .route_layer(middleware::from_fn_with_state(admin, access::require_admin))
        // Comes after the layer, because health checks come from other hosts without a token.
        .route("/@/health", get(async || "ok\n"))
}
