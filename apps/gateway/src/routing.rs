//! The layers around all services: the log and the duration of each request.

use std::convert::Infallible;

use axum::body::Body;
use http::{Request, Response};
use seawall::{
    logging::{self, Level, Logging, LoggingLayer},
    request_duration::{self, RequestDuration, RequestDurationLayer},
};
use tower::{Service, ServiceBuilder};

use crate::engine::Routes;

/// A service with the log and the duration of each request.
pub(crate) type Observed<S> = RequestDuration<Logging<S>>;

/// The body of the response of an [`Observed`] service.
pub(crate) type ObservedBody = request_duration::ResponseBody<logging::ResponseBody<Body>>;

/// Logs and measures each request.
pub(crate) fn with_observability(routes: Routes) -> Observed<Routes>
where
    Routes: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let labels = routes.clone();
    let route = move |head: &http::request::Parts| labels.route_of(head.uri.path());
    ServiceBuilder::new()
        .layer(RequestDurationLayer::server().route_fn(route))
        // The log line itself describes the request, so the span is needed at DEBUG only.
        .layer(LoggingLayer::server().span_level(Level::Debug))
        .service(routes)
}
