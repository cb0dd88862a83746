//! Writes one line for each request, when it is over, that says what happened and why.
//!
//! By `tracing`: one span a request and one event at its end, both with fields named by OpenTelemetry's semantic
//! conventions for HTTP, and under `seawall.*` what those have no name for. The fields stand on the event itself, so
//! that a span filtered out by its level loses nothing.
//!
//! A request is over when its response's body has ended, not when the head has come: a download that breaks off half
//! way, and a caller that hangs up, are told from a success.
//!
//! # Example
//!
//! ```
//! # use http::{Request, Response};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # async fn handle(_: Request<Body>) -> Result<Response<Body>, std::convert::Infallible> { Ok(Response::default()) }
//! use seawall::LoggingLayer;
//! use tower::ServiceBuilder;
//!
//! let server = ServiceBuilder::new().layer(LoggingLayer::server()).service_fn(handle);
//! # let _ = tower::ServiceExt::<Request<Body>>::boxed_clone(server);
//! ```
//!
//! ```text
//!  INFO GET /orders/17 -> 200 in 3.1ms
//!  WARN GET http://billing:8080/invoice -> connection refused (seen here; not processed) in 402.8ms, 4 attempts
//! ```
//!
//! # What is logged when
//!
//! | when | message | level on a server | level on a client |
//! |---|---|---|---|
//! | the response succeeded | status | INFO | DEBUG; INFO if it took more than one attempt |
//! | the response is a 4xx that faults the request (not 408, 429) | status and cause | as a success | as a success |
//! | the response failed, an error came, or the body broke off | cause | WARN | WARN |
//! | our own refusal (an open circuit) | cause | DEBUG | DEBUG |
//! | the caller dropped the call, or the body before its end | `cancelled`, `dropped` | INFO | INFO |
//!
//! Levels for success and failure can be [set](LoggingLayer::success). With both switched off by the subscriber a call
//! allocates nothing and records nothing.
//!
//! # What is never logged
//!
//! User names, passwords and query strings of URLs, headers, bodies. Texts of errors are logged by their innermost
//! source, without control characters, cut at 256 characters.
//!
//! # Cancel safety
//!
//! Dropping the response future or the body writes the line, marked as such, and drops what is inside.
//!
//! # Order
//!
//! Outermost: around [`RetryLayer`](crate::RetryLayer) on a client, so that a call is one line; around
//! [`ErrorResponseLayer`](crate::ErrorResponseLayer) on a server, so that the line has the status that was sent.
//!
//! # Differs from
//!
//! `tower_http::trace`: one line instead of two or three, visible at INFO, with the path, the outcome of the body, and
//! the cause in words.

mod body;
mod escape;
mod future;
mod layer;
mod level;
mod record;
mod service;
mod target;

pub use self::{
    body::ResponseBody, future::ResponseFuture, layer::LoggingLayer, level::Level, service::Logging,
};
