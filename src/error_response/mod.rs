//! Turns every error into a response, so that a server always answers: 502, 503 or 504, with the cause said in words
//! that programs and people can read.
//!
//! The error type becomes [`Infallible`](std::convert::Infallible), so that axum takes the stack as it is, without
//! `HandleErrorLayer`. Not covered: a response that breaks off after its head was sent, for which there is no other answer any more;
//! panics.
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
//! Around a client in a handler it makes the outcome of a call a response that the handler can return as it is.
//!
//! # What is answered
//!
//! | part | value | source |
//! |---|---|---|
//! | status | [`Cause::gateway_status`](crate::Cause::gateway_status) | RFC 9209 §2.3 |
//! | `Proxy-Status` | the name given to [`ErrorResponseLayer::new`], and the error type where one fits; `details` if [`include_error_text`](ErrorResponseLayer::include_error_text) is on; no `next-hop`, which is not known here | RFC 9209 |
//! | `Retry-After` | if the failure says how long; whole seconds, rounded up | RFC 9110 §10.2.3 |
//! | `x-should-retry` | `false` after a `RetriesExhausted`, so that callers do not multiply its retries; also on a failed response that passes after more than one attempt, or when the budget allowed no other | as LLM APIs send it |
//! | `Cache-Control` | `no-store` | RFC 9111 §5.2.2.5 |
//! | `Vary` | `accept` | RFC 9110 §12.5.5 |
//! | `X-Content-Type-Options` | `nosniff` | Fetch §3.6 |
//! | body | by `Accept`, see below | RFC 9110 §12.5.1 |
//!
//! After a `RetriesExhausted` whose last attempt ended in a refusal of our own (an open circuit, a deadline,
//! an inner service that is not ready), status and `Retry-After` are those of the upstream's last response, if that is a 429 or
//! a 5xx.
//!
//! The answer carries the [`Failure`](crate::Failure) in its extensions, so that logging around this layer names the cause.
//!
//! | the request | body |
//! |---|---|
//! | accepts JSON or anything, or says nothing | `application/problem+json` (RFC 9457): `type`, `title`, `status`, `detail`, `cause`; `request_id` and `error` where there are any |
//! | prefers `text/html` | a page for a person: what happened, what to try, the [checks](crate::Cause::checks) for those who run the server; it loads nothing, and its `Content-Security-Policy` allows nothing but its style |
//! | prefers `text/plain` | the same in a few lines |
//! | is a HEAD | none; the head is that of a GET, `Content-Length` included (RFC 9110 §9.3.2) |
//! | is a gRPC call | none: see below |
//!
//! Among formats wanted equally the order is that of the table. A malformed range of `Accept` is passed over; where
//! nothing fits, or `Accept` is longer than 1 KiB, it is the problem document.
//!
//! The request id is the request's `x-request-id`, if it is at most 128 bytes of visible ASCII.
//!
//! Texts of errors, addresses and header values are not told, unless [`include_error_text`](ErrorResponseLayer::include_error_text) is on.
//! What comes from elsewhere is bounded, and escaped for the place where it stands.
//!
//! # gRPC
//!
//! A POST whose `Content-Type` is `application/grpc`, with or without a suffix such as `+proto`, gets a response of
//! "trailers only": status 200, `grpc-status`, `grpc-message`, and `grpc-retry-pushback-ms` (gRFC A6): how long to
//! wait, or -1 after a `RetriesExhausted`. gRPC-Web is not gRPC, and is answered as any other request: put a layer that translates it
//! around this one.
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
//! | a request, response or configuration at fault | 13 `INTERNAL` |
//! | any other: not reached, broken off, a bare 502, 503 or 504 | 14 `UNAVAILABLE` |
//!
//! # What passes
//!
//! Responses pass untouched, failed ones too, but for `x-should-retry`. With
//! [`append_proxy_status`](ErrorResponseLayer::append_proxy_status) those with a status of 429, or of 500 and above, get a
//! member of `Proxy-Status` appended.
//!
//! # What it costs
//!
//! A call that succeeds allocates nothing (unless `Accept` comes in several lines): the values of `Accept` and
//! `x-request-id` are shared with the request, and looked into only when there is an error to answer.
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
//! On a server, around every layer that makes errors; inside [`LoggingLayer::server`](crate::logging::LoggingLayer::server).
//!
//! # Differs from
//!
//! - axum's `HandleErrorLayer`: needs no handler; status, headers and body follow from the failure, and from what the caller accepts.
//! - `tower_http::catch_panic`: panics are not caught here. The two go well together.

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
