//! The axum routers: all services, the dashboard and the metrics.

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    middleware,
    routing::{MethodRouter, get},
};
use metrics_exporter_prometheus::PrometheusHandle;
use seawall::error_response::ErrorResponseLayer;
use tower::ServiceBuilder;

use crate::{
    access::{self, AdminAccess},
    client,
    dashboard::{self, Dashboard},
    forward, llm, metrics,
    policies::Policies,
    routing,
    upstream::Upstream,
};

/// Serves each upstream at `/NAME` and the dashboard at `/`.
pub(crate) fn upstreams_router(
    upstreams: Vec<Upstream>,
    policies: &Policies,
    dashboard: Dashboard,
    prometheus: PrometheusHandle,
) -> Router {
    let client = client::build();
    let names: Vec<_> = upstreams.iter().map(|upstream| format!("/{}", upstream.name)).collect();
    let paths = format!("Upstreams: {}.\n", names.join(", "));
    let index = format!("seawall gateway. {paths}");
    let index = get(async move |headers: HeaderMap| dashboard::index(&headers, index));
    let mut router = Router::new()
        .fallback(async move || (StatusCode::NOT_FOUND, format!("No such upstream. {paths}")));
    for upstream in upstreams {
        let service = ServiceBuilder::new()
            .layer(ErrorResponseLayer::new(forward::GATEWAY_NAME))
            .service(policies.client_stack(&upstream, &client));
        router = router.merge(routing::service_routes(&upstream.name, service));
    }
    let own = own_routes(index, dashboard, prometheus, AdminAccess::default());
    routing::with_observability(router).merge(own)
}

/// Serves each service of a configuration file at `/NAME` and the dashboard at `/`.
pub(crate) fn config_router(
    services: llm::ReloadableRouter,
    dashboard: Dashboard,
    prometheus: PrometheusHandle,
) -> Router {
    let index_services = services.clone();
    let index = async move |headers: HeaderMap| {
        dashboard::index(&headers, format!("seawall gateway. {}", index_services.index_text()))
    };
    let admin = services.admin();
    Router::new().fallback_service(services).merge(own_routes(
        get(index),
        dashboard,
        prometheus,
        admin,
    ))
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
