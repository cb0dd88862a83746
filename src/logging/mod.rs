//! Writes one line for each request, when it is over, that says what happened and why.
//!
//! By `tracing`: one span a request and one event at its end, both with fields named by OpenTelemetry's semantic
//! conventions for HTTP, and under `seawall.*` what those have no name for. The fields stand on the event itself, so
//! that a span filtered out by its level loses nothing.
//!
//! A request is over when its response's body has ended, or has reached its `Content-Length`, not when the head has come.
//! Truncated downloads and disconnected clients are therefore not logged as successes.
//!
//! # Example
//!
//! ```
//! # use http::{Request, Response};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # async fn handle(_: Request<Body>) -> Result<Response<Body>, std::convert::Infallible> { Ok(Response::default()) }
//! use seawall::logging::LoggingLayer;
//! use tower::ServiceBuilder;
//!
//! let server = ServiceBuilder::new().layer(LoggingLayer::server()).service_fn(handle);
//! # let _ = tower::ServiceExt::<Request<Body>>::boxed_clone(server);
//! ```
//!
//! ```text
//!  INFO GET /orders/17 -> 200 in 3.1ms
//!  WARN GET http://billing:8080/invoice -> connection refused (seen here; not processed) in 764.5ms, 5 attempts (max retries)
//! ```
//!
//! That is the message; in front of it `tracing-subscriber` writes time and span, and behind it the fields. As JSON
//! (`tracing_subscriber::fmt().json()`), its span left out:
//!
//! ```json
//! {"timestamp":"2026-11-25T07:00:00.000000Z","level":"WARN","fields":{
//!   "message":"GET http://billing:8080/invoice -> connection refused (seen here; not processed) in 764.5ms, 5 attempts (max retries)",
//!   "http.request.method":"GET","url.full":"http://billing:8080/invoice?token=REDACTED","server.address":"billing",
//!   "server.port":8080,"http.request.resend_count":4,"error.type":"connection_refused",
//!   "error.message":"Connection refused (os error 111)","seawall.cause":"connection_refused","seawall.reporter":"local",
//!   "seawall.processed":"no","seawall.advice":"Check that the upstream is running and listens on this address and port.",
//!   "seawall.attempts":5,"seawall.stop_reason":"max_retries","seawall.outcome":"error","seawall.duration_ms":764.481},
//!  "target":"seawall::logging"}
//! ```
//!
//! For a log that people read as it passes, leave the fields out: the message has what matters of them.
//!
//! ```
//! use tracing_subscriber::fmt::format::{self, debug_fn};
//!
//! let messages = debug_fn(|out, field, value| match field.name() {
//!     "message" => write!(out, "{value:?}"),
//!     _ => Ok(()),
//! });
//! let subscriber = tracing_subscriber::fmt().fmt_fields(messages).with_target(false).finish();
//! # let _ = subscriber;
//! ```
//!
//! # What is logged when
//!
//! | when | message | level on a server | level on a client | setter |
//! |---|---|---|---|---|
//! | the response succeeded | status | INFO | DEBUG | [`success_level`](LoggingLayer::success_level) |
//! | after more than one attempt | status, attempts | INFO | INFO | [`retried_level`](LoggingLayer::retried_level) |
//! | the response is a 4xx that faults the request (not 408, 429) | status | as a success | as a success | [`client_error_level`](LoggingLayer::client_error_level) |
//! | the response failed, an error came, or the body broke off | cause, attempts, why no more | WARN | WARN | [`failure_level`](LoggingLayer::failure_level) |
//! | our own refusal: an open circuit, a limit | cause | DEBUG | DEBUG | [`rejected_level`](LoggingLayer::rejected_level) |
//! | the caller dropped the call, or the body of a success before its end | `cancelled`, `dropped` | INFO | INFO | [`cancelled_level`](LoggingLayer::cancelled_level) |
//! | the inner service panicked, and the panic was caught | `panicked` | WARN | WARN | [`failure_level`](LoggingLayer::failure_level) |
//!
//! So while a circuit is open, a server's 503s are not in a log at INFO: they would fill it, and say no more than the one line at
//! WARN with which [it opened](crate::circuit_breaker#what-is-told). `rejected_level(Level::Info)` has each of them written.
//!
//! Of gRPC, with [`GrpcClassifier`](crate::classify::GrpcClassifier), the status is looked for in the head of a response only: a call that
//! fails with `grpc-status: 14` in its trailers, after a message, is logged as a success.
//!
//! No line is written for a `poll_ready` that fails, since there is no request yet. None is written while a thread unwinds from
//! a [panic](#panics).
//!
//! [`only_failures`](LoggingLayer::only_failures), [`sample`](LoggingLayer::sample) and [`skip`](LoggingLayer::skip)
//! make less of it. A failure is followed, at DEBUG and under the target `seawall::logging::curl`, by a
//! [command](LoggingLayer::log_curl) for bash or zsh that sends the request again: secrets, and every header not known to be
//! harmless, are variables in it, such as `"${AUTHORIZATION}"`.
//!
//! A call records nothing and allocates nothing if the subscriber enables none of these levels. A success below the enabled
//! level allocates nothing either, unless a setter asks for headers, the route or the `User-Agent`.
//!
//! # Fields
//!
//! Names are those of OpenTelemetry's [semantic conventions for HTTP][semconv], and under `seawall.` what those have no
//! name for. A field that has no value is left out.
//!
//! | field | what | when |
//! |---|---|---|
//! | `http.request.method`, `…method_original` | the method, `_OTHER` if it is none of those known; then, as it came | always |
//! | `url.full` | with user, password and secrets of the query `REDACTED` | client |
//! | `url.path`, `url.query` | the same of a server's | server |
//! | `url.scheme` | what the request says, or [what was set](LoggingLayer::scheme) | server, unless a success |
//! | `server.address`, `server.port` | of the URL; on a server also of `Host` | unless a success |
//! | `network.protocol.version` | `1.1`, `2`, … | unless a success |
//! | `http.route` | see [`route_fn`](LoggingLayer::route_fn) | if set |
//! | `user_agent.original` | see [`log_user_agent`](LoggingLayer::log_user_agent) | if set |
//! | `http.response.status_code`, `http.response.body.size` | the size as far as it was read, in bytes | once there is a response |
//! | `http.request.resend_count` | requests sent before the last; client | if any |
//! | `error.type` | the status, if that failed, or the cause; on a server not for 4xx, never for a caller that gave up | failure |
//! | `error.message` | the text of the innermost error | failure |
//! | `seawall.cause`, `.reporter`, `.processed`, `.advice` | of the [`Failure`](crate::Failure) | failure |
//! | `seawall.evidence` | what `BadGatewayClassifierLayer` recognised | failure |
//! | `seawall.attempts`, `.stop_reason` | requests sent, and why no more | if the response has `RetryReport`, or the error is or contains `RetriesExhausted` |
//! | `seawall.outcome` | `complete`, `error`, `dropped` (in the body), `cancelled` (before the head), `panicked` | always |
//! | `seawall.duration_ms`, `.time_to_headers_ms` | to the end; to the head, if the body took 1 ms or more | always |
//! | `seawall.request_id` | the `x-request-id` of the request, or of a failed response: as tower-http's `SetRequestIdLayer` sets it, outside of this layer | if there is one |
//! | `seawall.request.headers`, `.response.headers` | see [`log_headers`](LoggingLayer::log_headers) | if set |
//! | `seawall.response.body` | see [`max_failed_body_bytes`](LoggingLayer::max_failed_body_bytes) | if set, failure |
//!
//! The line of a call that its caller cancels does not have the attempts made so far. `RetryLayer` emits them at DEBUG, in the event
//! `cancelled while retrying`. Nor does the line of an error that is not retried have a `seawall.stop_reason`, since that error is not inside
//! of `RetriesExhausted`. `RetryLayer` emits it at DEBUG, in the event `giving up`.
//!
//! # What is never logged
//!
//! User names and passwords of URLs; the values of keys in a query that [are known](LoggingLayer::redact) for secrets;
//! credentials in headers, and other headers, or bodies, unless asked for.
//!
//! What is not known for a secret is logged: one in a path, in a list or in JSON within a query, in the text of an error of
//! yours, or in a header that was asked for, such as a URL in `Referer`.
//!
//! Texts from elsewhere can neither begin a line nor look like another field: control characters, those that turn the
//! direction of what follows, those that are not seen, and what looks like a space and is none are written as escapes, such
//! as `\u{a0}`. They are cut at 256 characters, headers and bodies at 2,048, and of a URL the path and the query at 2,048 each. An
//! escape counts as one character.
//!
//! # Traces
//!
//! [`otel_spans`](LoggingLayer::otel_spans) fills the span as [`tracing-opentelemetry`] wants it: its name `{method} {route}` or
//! `{method}`, its kind, its attributes, and its status, an error for 5xx and on a client for 4xx too. The context of a
//! trace (`traceparent`) is left to OpenTelemetry's own propagator. On a server, attach what it extracts around the call,
//! outside of this layer; on a client, inject the context of the current span, inside:
//!
//! ```
//! # use http::Request;
//! # use opentelemetry::{Context, propagation::{Extractor, Injector, TextMapPropagator}};
//! # use tower::{Service, ServiceBuilder, util::MapRequest};
//! use tracing_opentelemetry::OpenTelemetrySpanExt;
//!
//! # struct Headers<'a>(&'a http::HeaderMap);
//! # impl Extractor for Headers<'_> {
//! #     fn get(&self, key: &str) -> Option<&str> { self.0.get(key)?.to_str().ok() }
//! #     fn keys(&self) -> Vec<&str> { self.0.keys().map(|it| it.as_str()).collect() }
//! # }
//! # struct HeadersMut<'a>(&'a mut http::HeaderMap);
//! # impl Injector for HeadersMut<'_> {
//! #     fn set(&mut self, key: &str, value: String) {
//! #         if let (Ok(name), Ok(value)) = (key.parse::<http::HeaderName>(), value.parse()) { self.0.insert(name, value); }
//! #     }
//! # }
//! // `Headers` and `HeadersMut` are as in the crate opentelemetry-http.
//! fn call<S: Service<Request<B>>, B>(propagator: &impl TextMapPropagator, service: &mut S, request: Request<B>) -> S::Future {
//!     let _attached = propagator.extract(&Headers(request.headers())).attach();
//!     service.call(request)
//! }
//!
//! fn inject<B>(propagator: &impl TextMapPropagator, mut request: Request<B>) -> Request<B> {
//!     let context = tracing::Span::current().context();
//!     propagator.inject_context(&context, &mut HeadersMut(request.headers_mut()));
//!     request
//! }
//! ```
//!
//! # Cancel safety
//!
//! Dropping the response future or the body drops what is inside, then writes the line, marked as such.
//!
//! # Panics
//!
//! A panic of the inner service, of a subscriber, or of a closure passes through the call that is being logged. Other requests are
//! not affected. The record of a request is emitted once, even if the subscriber panics at that.
//!
//! While a thread unwinds, nothing is emitted, because a subscriber that panics then would abort the process. So the line of a call
//! that panics is missing, and the panic hook is the place to report it. If the panic is caught outside of this layer, as by
//! tower-http's `CatchPanicLayer`, and the call is dropped after that, its line says `panicked`. As always with `tracing`, a
//! span is left and closed during unwinding too.
//!
//! # Order
//!
//! Outermost: around [`RetryLayer`](crate::retry::RetryLayer) on a client, so that a call is one line; around
//! [`ErrorResponseLayer`](crate::error_response::ErrorResponseLayer) on a server, so that the line has the status that was sent. Inside a
//! `RetryLayer` each attempt has a line of its own, which says which it is. Around a rate limit such as `tower_governor`'s, what is
//! refused has a line too.
//!
//! # Differs from
//!
//! `tower_http::trace`: one line instead of two or three, visible at INFO, with the path, the outcome of the body, and
//! the cause in words.
//!
//! [semconv]: https://opentelemetry.io/docs/specs/semconv/http/http-spans/
//! [`tracing-opentelemetry`]: https://docs.rs/tracing-opentelemetry

mod body;
mod curl;
mod emit;
mod errors;
mod escape;
mod fields;
mod future;
mod guard;
mod headers;
mod layer;
mod level;
mod message;
mod otel;
mod outcome;
mod quote;
mod record;
mod redact;
mod request_head;
mod sampler;
mod service;
mod settings;
mod target;

pub use self::{
    body::ResponseBody,
    errors::{AsStdError, ErrorFn, KnownErrors},
    future::ResponseFuture,
    layer::LoggingLayer,
    level::Level,
    request_head::RequestHead,
    service::Logging,
};
