//! The routes of a service, and the layers around all routes.

use std::{convert::Infallible, sync::Arc};

use axum::{Router, body::Body, extract::MatchedPath, response::IntoResponse};
use http::Request;
use seawall::{
    logging::{Level, LoggingLayer},
    request_duration::RequestDurationLayer,
};
use tower::Service;

use crate::forward::{ForwardingConfig, RequestIdLayer};

/// Routes `/NAME` and all paths below it to the service.
pub(crate) fn service_routes<S, B>(name: &str, service: S) -> Router
where
    S: Service<Request<Body>, Response = http::Response<B>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
    http::Response<B>: IntoResponse,
{
    // A wildcard matches neither the bare name nor a single slash after it.
    Router::new()
        .route_service(&format!("/{name}"), service.clone())
        .route_service(&format!("/{name}/"), service.clone())
        .route_service(&format!("/{name}/{{*rest}}"), service)
}

/// Gives each request an id, logs it and measures it.
pub(crate) fn with_observability(router: Router, forwarding: Arc<ForwardingConfig>) -> Router {
    // As one layer, because the router allocates a clone of each for every request.
    router.layer((
        RequestIdLayer::new(forwarding),
        RequestDurationLayer::server().route_fn(matched_route),
        // The log line itself describes the request, so the span is needed at DEBUG only.
        LoggingLayer::server().span_level(Level::Debug),
    ))
}

fn matched_route(head: &http::request::Parts) -> Option<String> {
    Some(head.extensions.get::<MatchedPath>()?.as_str().to_owned())
}
