//! Measures how long HTTP requests take, for a recorder of the [`metrics`](https://docs.rs/metrics) crate. Feature
//! `metrics`.
//!
//! The histograms `http.client.request.duration` and `http.server.request.duration` are those of [OpenTelemetry], in
//! seconds. Give the recorder [`DURATION_BUCKETS`](crate::metrics::DURATION_BUCKETS) for them. Exporters for Prometheus
//! write the dots of names and labels as underscores.
//!
//! | label | value | where |
//! |---|---|---|
//! | `http.request.method` | the method; `_OTHER` for one that is not of RFC 9110 or RFC 5789, nor QUERY | both |
//! | `http.response.status_code` | if a response came | both |
//! | `error.type` | the status of a failed response (from 400 on a client, from 500 on a server), or the [`Cause`](crate::Cause) of an error; none if the caller gave up | both |
//! | `server.address`, `server.port` | host and port of the URL | client |
//! | `url.scheme` | `https` if the URL says so, else `http` | server |
//! | `http.route` | what [`route_fn`](RequestDurationLayer::route_fn) says | server |
//!
//! Paths are no label, and hosts and ports are told apart for the first 4,096 of a process, and up to 1,024 bytes: the others are `other`.
//!
//! A request ends with the body of its response, or when that breaks off or is dropped. Not covered: single attempts, unless the layer
//! stands inside of [`RetryLayer`](crate::retry::RetryLayer); sizes of bodies.
//!
//! # Example
//!
//! ```
//! use seawall::{request_duration::RequestDurationLayer, retry::RetryLayer};
//! use tower::ServiceBuilder;
//! # use http::{Request, Response};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # let client = tower::service_fn(|_: Request<seawall::retry::ReplayBody<Body>>| async {
//! #     Ok::<_, seawall::BoxError>(Response::new(Body::default()))
//! # });
//!
//! let client = ServiceBuilder::new()
//!     .layer(RequestDurationLayer::client())
//!     .layer(RetryLayer::new())
//!     .service(client);
//! # tower::ServiceExt::<Request<Body>>::oneshot(client, Request::default());
//! ```
//!
//! # When what happens
//!
//! | when | then |
//! |---|---|
//! | the response's body ends | the request is measured, with its status; a status that failed is the `error.type` too |
//! | the call fails, or the body breaks off | it is measured, with the cause for `error.type` |
//! | the caller drops the call or the body | it is measured, without an `error.type` of its own |
//! | what is inside panics | it is not measured, because a recorder that panics during unwinding would abort the process |
//! | nobody has installed a recorder | nothing is kept |
//!
//! # Cancel safety
//!
//! Dropping the future, or the body of its response, ends the request: it is measured, without an `error.type`.
//!
//! # Order
//!
//! Outermost. Inside [`RetryLayer`](crate::retry::RetryLayer) it measures each attempt.
//!
//! # Differs from
//!
//! - layers that count only: OpenTelemetry's names, units and buckets; to the end of the body, not to its head; and no label that a
//!   caller can fill without bound.
//!
//! [OpenTelemetry]: https://opentelemetry.io/docs/specs/semconv/http/http-metrics/

mod future;
mod layer;
mod measure;
mod server_labels;
mod service;
mod settings;

pub use self::{
    future::ResponseFuture, layer::RequestDurationLayer, measure::Measurement,
    service::RequestDuration,
};
