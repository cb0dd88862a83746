//! The services, the dashboard and the metrics.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, Response, StatusCode},
    middleware,
    routing::{MethodRouter, get},
};
use futures_util::{
    TryFutureExt,
    future::{Either, MapOk},
};
use http_body_util::Either as EitherBody;
use metrics_exporter_prometheus::PrometheusHandle;
use tower::Service;

use crate::{
    access::{self, AdminAccess},
    dashboard::{self, Dashboard},
    engine::ReloadableRouter,
    metrics,
    routing::ObservedBody,
    server::ServerStatus,
    status,
};

/// Serves each service at `/NAME` and the dashboard at `/`.
///
/// Requests to a service do not pass the axum router of the other pages, because that costs as much
/// as several layers.
#[derive(Clone)]
pub(crate) struct App {
    services: ReloadableRouter,
    /// The gateway's own pages, and the response to all other paths.
    pages: Router,
}

/// The body of a response of a service, or of a page.
pub(crate) type AppBody = EitherBody<ObservedBody, Body>;

impl App {
    pub(crate) fn new(
        services: ReloadableRouter,
        dashboard: Dashboard,
        prometheus: PrometheusHandle,
        server: ServerStatus,
    ) -> Self {
        let index_services = services.clone();
        let index = async move |headers: HeaderMap| {
            dashboard::index(&headers, format!("seawall gateway. {}", index_services.index_text()))
        };
        let pages = dashboard
            .routes()
            .merge(metrics::routes(prometheus, server.clone()))
            .merge(status::routes(services.clone()));
        let own = own_routes(get(index), pages, services.admin(), server);
        let pages = Router::new().fallback_service(services.clone()).merge(own);
        Self { services, pages }
    }
}

/// Returns the routes of the dashboard, the metrics, the status and the controls, which have one
/// access policy.
fn own_routes(
    index: MethodRouter,
    pages: Router,
    admin: AdminAccess,
    server: ServerStatus,
) -> Router {
    Router::new()
        .route("/", index)
        .merge(pages)
        .route_layer(middleware::from_fn_with_state(admin, access::require_admin))
        // Comes after the layer, because health checks come from other hosts without a token.
        .route("/@/health", get(async || "ok\n"))
        .route("/@/ready", get(async move || readiness(&server)))
}

/// Returns 200 while new requests should be sent here, and otherwise 503.
fn readiness(server: &ServerStatus) -> (StatusCode, &'static str) {
    if server.is_ready() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n")
    }
}

type Wrap<B> = fn(Response<B>) -> Response<AppBody>;

impl Service<Request<Body>> for App {
    type Response = Response<AppBody>;
    type Error = Infallible;
    type Future = Either<
        MapOk<<ReloadableRouter as Service<Request<Body>>>::Future, Wrap<ObservedBody>>,
        MapOk<<Router as Service<Request<Body>>>::Future, Wrap<Body>>,
    >;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    // Both are always ready.
    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if let Some(mut services) = self.services.services_for(request.uri().path()) {
            let wrap: Wrap<_> = |response| response.map(EitherBody::Left);
            return Either::Left(services.call(request).map_ok(wrap));
        }
        let wrap: Wrap<_> = |response| response.map(EitherBody::Right);
        Either::Right(self.pages.call(request).map_ok(wrap))
    }
}
