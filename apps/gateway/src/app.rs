//! The axum router: all services, the dashboard and the metrics.

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    middleware,
    routing::{MethodRouter, get},
};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{
    access::{self, AdminAccess},
    dashboard::{self, Dashboard},
    engine::ReloadableRouter,
    metrics,
    server::ServerStatus,
};

/// Serves each service at `/NAME` and the dashboard at `/`.
pub(crate) fn router(
    services: ReloadableRouter,
    dashboard: Dashboard,
    prometheus: PrometheusHandle,
    status: ServerStatus,
) -> Router {
    let index_services = services.clone();
    let index = async move |headers: HeaderMap| {
        dashboard::index(&headers, format!("seawall gateway. {}", index_services.index_text()))
    };
    let admin = services.admin();
    let own = own_routes(get(index), dashboard, prometheus, admin, status);
    Router::new().fallback_service(services).merge(own)
}

/// Returns the routes of the dashboard, the metrics and the controls, which have one access policy.
fn own_routes(
    index: MethodRouter,
    dashboard: Dashboard,
    prometheus: PrometheusHandle,
    admin: AdminAccess,
    status: ServerStatus,
) -> Router {
    Router::new()
        .route("/", index)
        .merge(dashboard.routes())
        .merge(metrics::routes(prometheus, status.clone()))
        .route_layer(middleware::from_fn_with_state(admin, access::require_admin))
        // Comes after the layer, because health checks come from other hosts without a token.
        .route("/@/health", get(async || "ok\n"))
        .route("/@/ready", get(async move || readiness(&status)))
}

/// Returns 200 while new requests should be sent here, and otherwise 503.
fn readiness(status: &ServerStatus) -> (StatusCode, &'static str) {
    if status.is_ready() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n")
    }
}
