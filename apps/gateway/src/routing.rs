//! The layers around all services: the id, the log and the duration of each request.

use std::{convert::Infallible, sync::Arc};

use axum::body::Body;
use http::{Request, Response};
use http_body_util::{BodyExt, combinators::MapErr};
use seawall::{
    BoxError,
    logging::{self, Level, Logging, LoggingLayer},
    request_duration::{self, RequestDuration, RequestDurationLayer},
};
use tower::{Service, ServiceBuilder, util::MapResponse};

use crate::{
    engine::Routes,
    forward::{ForwardingConfig, RequestId, RequestIdLayer},
};

/// A service with the id, the log and the duration of each request.
pub(crate) type Observed<S> = RequestId<RequestDuration<Logging<MapResponse<S, UnwrapErrors>>>>;

/// A body whose errors the log and the metrics recognize. They do not know [`axum::Error`].
type UnwrappedBody = MapErr<Body, fn(axum::Error) -> BoxError>;
type UnwrapErrors = fn(Response<Body>) -> Response<UnwrappedBody>;

/// The body of the response of an [`Observed`] service.
pub(crate) type ObservedBody = request_duration::ResponseBody<logging::ResponseBody<UnwrappedBody>>;

/// Gives each request an id, logs it and measures it.
pub(crate) fn with_observability(
    routes: Routes,
    forwarding: Arc<ForwardingConfig>,
) -> Observed<Routes>
where
    Routes: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let labels = routes.clone();
    let route = move |head: &http::request::Parts| labels.route_of(head.uri.path());
    let unwrap_errors: UnwrapErrors = |response| {
        response.map(|body| body.map_err(axum::Error::into_inner as fn(axum::Error) -> BoxError))
    };
    ServiceBuilder::new()
        .layer(RequestIdLayer::new(forwarding))
        .layer(RequestDurationLayer::server().route_fn(route))
        // The log line itself describes the request, so the span is needed at DEBUG only.
        .layer(LoggingLayer::server().span_level(Level::Debug))
        .map_response(unwrap_errors)
        .service(routes)
}
