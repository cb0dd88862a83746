//! Turns every error into a response, so that a server always answers: 502, 503 or 504, with the cause said in words
//! that programs and people can read.
//!
//! The error type becomes [`Infallible`](std::convert::Infallible), so that axum takes the stack as it is, without
//! `HandleErrorLayer`. Responses pass through untouched, failed ones too.
//!
//! # Example
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use http::{Request, Response};
//! # use http_body_util::Full;
//! # type Body = Full<bytes::Bytes>;
//! use seawall::ErrorResponseLayer;
//! use std::io;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! let server = ServiceBuilder::new()
//!     .layer(ErrorResponseLayer::new("edge"))
//!     .service_fn(async |_: Request<Body>| {
//!         Err::<Response<Body>, _>(io::Error::from(io::ErrorKind::ConnectionRefused))
//!     });
//!
//! let response = server.oneshot(Request::new(Body::default())).await?;
//! assert_eq!(response.status(), 502);
//! assert_eq!(response.headers()["proxy-status"], "edge;error=connection_refused");
//! # Ok(())
//! # }
//! ```
//!
//! # What is answered
//!
//! | part | value | source |
//! |---|---|---|
//! | status | [`Cause::gateway_status`](crate::Cause::gateway_status) | RFC 9209 §2.3 |
//! | `Proxy-Status` | the name given to [`ErrorResponseLayer::new`], and the error type where one fits | RFC 9209 |
//! | `Retry-After` | if the failure says how long; whole seconds, rounded up | RFC 9110 §10.2.3 |
//! | `Cache-Control` | `no-store` | RFC 9111 §5.2.2.5 |
//! | body | `application/problem+json`: `type`, `title`, `status`, `detail`, and `cause` | RFC 9457 |
//!
//! After a `GaveUp` whose last attempt ended in a refusal of our own (an open circuit, a deadline,
//! an inner service that is not ready), status and `Retry-After` are those of the upstream's last response.
//!
//! The answer carries the [`Failure`](crate::Failure) in its extensions, so that logging around this layer names the cause.
//!
//! A HEAD request gets the same head and no body. Texts of errors, addresses and header values are never disclosed.
//!
//! # When the inner service is not ready
//!
//! An error of `poll_ready` becomes the response to the next call. After it the inner service is asked again, so that
//! one failure does not end the server.
//!
//! # Cancel safety
//!
//! Dropping the future drops the inner future; nothing else is held.
//!
//! # Order
//!
//! On a server, around every layer that makes errors; inside [`LoggingLayer::server`](crate::LoggingLayer::server).

mod accept;
mod answer;
mod asked;
mod body;
mod future;
mod grpc;
mod layer;
mod page;
mod plain;
mod problem;
mod proxy_status;
mod service;
mod settings;
mod told;
mod words;

pub use self::{
    body::ResponseBody, future::ResponseFuture, layer::ErrorResponseLayer, service::ErrorResponse,
};
