//! Measures the duration of HTTP requests, for a recorder of the
//! [`metrics`](https://docs.rs/metrics) crate. Feature `metrics`.
//!
//! The histograms `http.client.request.duration` and `http.server.request.duration` are defined by
//! [OpenTelemetry], in seconds. Configure the recorder with
//! [`DURATION_BUCKETS`](crate::metrics::DURATION_BUCKETS) for them. Exporters for Prometheus
//! replace the dots in names and labels with underscores.
//!
//! | label | value | side |
//! |---|---|---|
//! | `http.request.method` | the method, if it is defined by RFC 9110 or RFC 5789, or is QUERY; otherwise `_OTHER` | both |
//! | `http.response.status_code` | the status, if a response arrived | both |
//! | `error.type` | the status of a failed response (from 400 on a client, from 500 on a server), or the [`Cause`](crate::Cause) of an error; omitted if the caller cancelled | both |
//! | `server.address`, `server.port` | host and port of the URL | client |
//! | `url.scheme` | `https` if the URL has that scheme, otherwise `http` | server |
//! | `client`, `service` | the names in [`RequestAttributes`](crate::RequestAttributes), if set | server |
//! | any other | the values set with [`label`](RequestDurationLayer::label) | both |
//! | `http.route` | the value returned by [`route_fn`](RequestDurationLayer::route_fn) | server |
//!
//! Paths are never labels. Hosts with their ports are recorded unchanged for the first 4,096 of a
//! process, if they have at most 1,024 bytes. Any other host is recorded as `other`.
//!
//! A request ends when its response's body ends, fails or is dropped.
//!
//! Not measured: the sizes of bodies, and single attempts unless the layer is inside
//! [`RetryLayer`](crate::retry::RetryLayer).
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
//! # Behavior
//!
//! | event | effect |
//! |---|---|
//! | the response's body ends | the duration is recorded with the status; a failed status is also the `error.type` |
//! | the call or the body fails | the duration is recorded with the cause as `error.type` |
//! | the caller drops the call or the body | the duration is recorded, without a cause as `error.type` |
//! | the inner service panics | nothing is recorded, because a recorder that panics during unwinding would abort the process |
//! | no recorder is installed | nothing is recorded |
//!
//! # Cancel safety
//!
//! Dropping the future or the response's body ends the request. Its duration is recorded, without a
//! cause as `error.type`.
//!
//! # Order
//!
//! Outermost. Inside [`RetryLayer`](crate::retry::RetryLayer), the layer measures each attempt.
//!
//! # Differs from
//!
//! - layers that only count requests: this layer uses OpenTelemetry's names, units and buckets, and
//!   measures until the end of the body. No label has values that a caller can multiply without
//!   bound.
//!
//! [OpenTelemetry]: https://opentelemetry.io/docs/specs/semconv/http/http-metrics/

mod future;
mod layer;
mod measure;
mod server_labels;
mod service;
mod settings;

pub use self::{future::ResponseFuture, layer::RequestDurationLayer, service::RequestDuration};

/// Response body of [`RequestDuration`]: the inner body, whose end is observed.
pub type ResponseBody<B> = crate::body::ObservedBody<B, measure::Measurement>;
