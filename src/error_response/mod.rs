//! Turns every error into a response: mostly 502, 503 or 504, with the cause in a form for programs
//! and people.
//!
//! The error type becomes [`Infallible`](std::convert::Infallible), so axum accepts the stack
//! without `HandleErrorLayer`.
//!
//! Not covered: panics, and a body that fails after the response's head was sent, when it is too
//! late for another response.
//!
//! # Example
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use http::{Request, Response};
//! # use http_body_util::Full;
//! # type Body = Full<bytes::Bytes>;
//! use seawall::error_response::ErrorResponseLayer;
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
//! Around a client inside a handler, the layer turns the result of a call into a response that the
//! handler can return.
//!
//! # Response
//!
//! | part | value | source |
//! |---|---|---|
//! | status | [`Failure::gateway_status`](crate::Failure::gateway_status) | RFC 9209 §2.3 |
//! | `Proxy-Status` | the name given to [`ErrorResponseLayer::new`], and the error type if one matches; `details` if [`include_error_text`](ErrorResponseLayer::include_error_text) is enabled; no `next-hop`, because it is not known here | RFC 9209 |
//! | `Retry-After` | the wait of the failure, if it has one, in whole seconds, rounded up | RFC 9110 §10.2.3 |
//! | `x-should-retry` | `false` after `RetriesExhausted`, so that callers do not multiply the retries; also on a failed response of the inner service after more than one attempt, or if the budget rejected a retry | as LLM APIs send it |
//! | `Cache-Control` | `no-store` | RFC 9111 §5.2.2.5 |
//! | `Vary` | `accept` | RFC 9110 §12.5.5 |
//! | `X-Content-Type-Options` | `nosniff` | Fetch §3.6 |
//! | body | selected by `Accept`, see below | RFC 9110 §12.5.1 |
//!
//! `RetriesExhausted` may end in a rejection by this process: an open circuit, a deadline, or an
//! inner service that is not ready. The response then has the status and the `Retry-After` of the
//! upstream's last response, if that is a 429 or a 5xx.
//!
//! The response has the [`Failure`](crate::Failure) in its extensions, so a logging layer around
//! this one can log the cause.
//!
//! | request | body |
//! |---|---|
//! | accepts JSON or anything, or has no `Accept` | `application/problem+json` (RFC 9457): `type`, `title`, `status`, `detail`, `cause`; `request_id` and `error` if present |
//! | prefers `text/html` | a page for people: the problem, advice, and the [checks](crate::Cause::checks) for the operator; it loads nothing, and its `Content-Security-Policy` allows only its own style |
//! | prefers `text/plain` | the same in a few lines |
//! | HEAD | none; the head is that of a GET, including `Content-Length` (RFC 9110 §9.3.2) |
//! | gRPC call | none, see below |
//!
//! Among formats of equal quality, the first in the table is selected. Malformed ranges of `Accept`
//! are ignored. If no format is acceptable, or `Accept` is longer than 1 KiB, the body is the
//! problem document.
//!
//! The request id is the request's `x-request-id`, if it has at most 128 bytes of visible ASCII.
//!
//! Error messages, addresses and header values are not sent unless
//! [`include_error_text`](ErrorResponseLayer::include_error_text) is enabled. Untrusted text is
//! bounded in length and escaped for its context.
//!
//! # gRPC
//!
//! A POST with the `Content-Type` `application/grpc`, with or without a suffix such as `+proto`, is
//! a gRPC call. It gets a "trailers only" response with status 200, `grpc-status`, `grpc-message`
//! and `grpc-retry-pushback-ms` (gRFC A6). The pushback is the wait, or -1 after
//! `RetriesExhausted`.
//!
//! gRPC-Web is handled like any other request. Add a layer that translates it around this one.
//!
//! | cause | `grpc-status` |
//! |---|---|
//! | `cancelled` | 1 `CANCELLED` |
//! | `origin_error`, `unknown` | 2 `UNKNOWN` |
//! | `http_response_timeout`, `connection_read_timeout`, `connection_write_timeout` | 4 `DEADLINE_EXCEEDED` |
//! | `http_request_denied` | 7 `PERMISSION_DENIED` |
//! | `rate_limited`, `connection_limit_reached` | 8 `RESOURCE_EXHAUSTED` |
//! | `conflict` | 10 `ABORTED` |
//! | `destination_not_found` | 12 `UNIMPLEMENTED` |
//! | an invalid request, response or configuration | 13 `INTERNAL` |
//! | any other: upstream not reached, connection lost, a 502, 503 or 504 without details | 14 `UNAVAILABLE` |
//!
//! # Responses of the inner service
//!
//! Responses of the inner service, including failed ones, are forwarded unchanged except for
//! `x-should-retry`. With [`append_proxy_status`](ErrorResponseLayer::append_proxy_status), a
//! member of `Proxy-Status` is appended to responses with a status of 429, or of 500 and above.
//!
//! # Cost
//!
//! A successful call does not allocate, unless `Accept` has several lines. The values of `Accept`
//! and `x-request-id` are shared with the request, and read only for an error.
//!
//! # Readiness
//!
//! An error of `poll_ready` becomes the response to the next call. After that call, the inner
//! service is polled again, so a single failure does not end the server.
//!
//! # Cancel safety
//!
//! Dropping the future drops the inner future. The layer holds no other resources.
//!
//! # Order
//!
//! On a server, around every layer that returns errors, and inside
//! [`LoggingLayer::server`](crate::logging::LoggingLayer::server).
//!
//! # Differs from
//!
//! - axum's `HandleErrorLayer`: needs no handler. Status, headers and body are derived from the
//!   failure and from the request's `Accept`.
//! - `tower_http::catch_panic`: does not catch panics. Use both layers together.

mod accept;
mod body;
mod error_text;
mod format;
mod future;
mod layer;
mod messages;
mod proxy_status;
mod reply;
mod request_info;
mod response;
mod service;
mod settings;

pub use self::{
    body::ResponseBody, future::ResponseFuture, layer::ErrorResponseLayer, service::ErrorResponse,
};
