//! The axum routers: all services, the dashboard and the metrics.

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use seawall::error_response::ErrorResponseLayer;
use tower::ServiceBuilder;

use crate::{
    client::{self, ConnectionConfig, SetupError},
    dashboard::{self, Dashboard},
    forward, llm, metrics,
    policies::Policies,
    routing,
    upstream::Upstream,
};

/// Serves each upstream at `/NAME` and the dashboard at `/`.
///
/// # Errors
/// Returns an error if a proxy variable applies to an upstream in a way that is not supported.
pub(crate) fn upstreams_router(
    upstreams: Vec<Upstream>,
    policies: &Policies,
    dashboard: Dashboard,
    prometheus: PrometheusHandle,
) -> Result<Router, SetupError> {
    let clients = client::build(&ConnectionConfig::default())?;
    let names: Vec<_> = upstreams.iter().map(|upstream| format!("/{}", upstream.name)).collect();
    let paths = format!("Upstreams: {}.\n", names.join(", "));
    let index = format!("seawall gateway. {paths}");
    let mut router = Router::new()
        .route("/", get(async move |headers: HeaderMap| dashboard::index(&headers, index)))
        .fallback(async move || (StatusCode::NOT_FOUND, format!("No such upstream. {paths}")));
    for upstream in upstreams {
        let client = clients.for_upstream(&upstream.url, false)?;
        let service = ServiceBuilder::new()
            .layer(ErrorResponseLayer::new(forward::GATEWAY_NAME))
            .service(policies.client_stack(&upstream, client));
        router = router.merge(routing::service_routes(&upstream.name, service));
    }
    let router = routing::with_observability(router);
    Ok(router.merge(dashboard.routes()).merge(metrics::routes(prometheus)))
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
    Router::new()
        .route("/", get(index))
        .fallback_service(services)
        .merge(dashboard.routes())
        .merge(metrics::routes(prometheus))
}
