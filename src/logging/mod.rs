//! Logs one event per request, with its outcome, its duration and the cause of a failure.
//!
//! The layer uses `tracing`: one span per request, and one event when the request ends. Field names
//! follow OpenTelemetry's [semantic conventions for HTTP][semconv]. Fields that the conventions do
//! not define are under `seawall.`. The event itself has all fields, so filtering out the span by
//! its level loses nothing.
//!
//! A request ends when its response's body ends or reaches its `Content-Length`, not when the
//! response's head arrives. Truncated downloads and disconnected clients are therefore not logged
//! as successes.
//!
//! # Example
//!
//! ```
//! # use http::{Request, Response};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # async fn handle(_: Request<Body>) -> Result<Response<Body>, std::convert::Infallible> {
//! #     Ok(Response::default())
//! # }
//! use seawall::logging::LoggingLayer;
//! use tower::ServiceBuilder;
//!
//! let server = ServiceBuilder::new().layer(LoggingLayer::server()).service_fn(handle);
//! # let _ = tower::ServiceExt::<Request<Body>>::boxed_clone(server);
//! ```
//!
//! ```text
//!  INFO GET /orders/17 -> 200 in 3.1ms
//!  WARN GET http://billing:8080/invoice -> connection refused (detected locally; not processed) in 764.5ms, 5 attempts (max retries)
//! ```
//!
//! This is the message. `tracing-subscriber` writes the time and the span before it, and the fields
//! after it. The same event as JSON (`tracing_subscriber::fmt().json()`), without its span:
//!
//! ```json
//! {"timestamp":"2026-11-25T07:00:00.000000Z","level":"WARN","fields":{
//!   "message":"GET http://billing:8080/invoice -> connection refused (detected locally; not processed) in 764.5ms, 5 attempts (max retries)",
//!   "http.request.method":"GET","url.full":"http://billing:8080/invoice?token=REDACTED","server.address":"billing",
//!   "server.port":8080,"http.request.resend_count":4,"error.type":"connection_refused",
//!   "error.message":"Connection refused (os error 111)","seawall.cause":"connection_refused","seawall.reporter":"local",
//!   "seawall.processed":"no","seawall.advice":"Check that the upstream is running and listening on this address and port.",
//!   "seawall.attempts":5,"seawall.stop_reason":"max_retries","seawall.outcome":"error","seawall.duration_ms":764.481},
//!  "target":"seawall::logging"}
//! ```
//!
//! For a log that people read live, omit the fields. The message contains the most important ones.
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
//! # Events
//!
//! | case | message | level on a server | level on a client | setter |
//! |---|---|---|---|---|
//! | the response is a success | status | INFO | DEBUG | [`success_level`](LoggingLayer::success_level) |
//! | success after more than one attempt | status, attempts | INFO | INFO | [`retried_level`](LoggingLayer::retried_level) |
//! | the response is a 4xx caused by the request (not 408 or 429) | status | as a success | as a success | [`client_error_level`](LoggingLayer::client_error_level) |
//! | the response is a failure, the call returns an error, or the body fails | cause, attempts, stop reason | WARN | WARN | [`failure_level`](LoggingLayer::failure_level) |
//! | an open circuit or a limit of this process rejects the call, and no attempt reached the upstream | cause | DEBUG | DEBUG | [`rejected_level`](LoggingLayer::rejected_level) |
//! | the caller drops the call, or the body of a success before its end | `cancelled`, `dropped` | INFO | INFO | [`cancelled_level`](LoggingLayer::cancelled_level) |
//! | the inner service panics and the panic is caught | `panicked` | WARN | WARN | [`failure_level`](LoggingLayer::failure_level) |
//!
//! While a circuit is open or a limit is reached, a server's 503 responses are therefore not logged
//! at INFO. They would flood the log. The circuit or the limit summarizes them in one event at
//! WARN, at once and then at most once per minute. `rejected_level(Level::Info)` logs each of them.
//!
//! Rejections by `tower::load_shed` have no event of their own. The log summarizes them in the same
//! way, in an event named `load_shed`. Its field `rejected` is the number of calls since the
//! previous event. An error with a detail of [`LoadShed`](crate::Detail::LoadShed), of a layer of
//! yours, counts too.
//!
//! A call whose attempts failed before it was rejected is logged as a failure, with the cause of
//! the last of these attempts.
//!
//! # Nested logs
//!
//! A log inside [`LoggingLayer::server`], such as that of the calls of a gateway, reports its
//! failures to the server's log and emits its own events at DEBUG. A failed request is therefore
//! one event at WARN. It has the received target, the URL of the upstream, the cause and the
//! attempts. It is emitted even if the request succeeded after the failure, for example by a
//! fallback.
//!
//! A log inside whose [`failure_level`](LoggingLayer::failure_level) is below WARN is unaffected.
//!
//! The logs are linked by a request extension, so a handler must pass on the extensions of its
//! request. Otherwise both logs emit their events at WARN.
//!
//! A gateway that changes the URI outside the server's log inserts the received target with
//! [`ReceivedTarget`](crate::ReceivedTarget).
//!
//! # gRPC
//!
//! The status of a gRPC call is read from the head of its response or from its trailers, with any
//! classifier. A call whose status is not `OK` is logged by its cause, although its HTTP status is
//! 200.
//!
//! No event is emitted when `poll_ready` fails, because there is no request yet. None is emitted
//! while a thread unwinds from a [panic](#panics).
//!
//! [`only_failures`](LoggingLayer::only_failures), [`sample`](LoggingLayer::sample) and
//! [`skip`](LoggingLayer::skip) reduce the number of events.
//!
//! A failure is followed by a second event, at DEBUG, with the target `seawall::logging::curl`. It
//! contains a [command](LoggingLayer::log_curl) for bash or zsh that repeats the request. Secrets,
//! and all headers that are not known to be harmless, are shell variables in it, such as
//! `"${AUTHORIZATION}"`.
//!
//! A call records and allocates nothing if the subscriber enables none of these levels. A success
//! below the enabled level does not allocate either, unless headers, the route or the `User-Agent`
//! are enabled.
//!
//! # Fields
//!
//! Names without the prefix `seawall.` are defined by OpenTelemetry's [semantic conventions for
//! HTTP][semconv]. A field without a value is omitted.
//!
//! | field | value | present |
//! |---|---|---|
//! | `http.request.method`, `…method_original` | the method; an unknown method is `_OTHER`, and `…method_original` has its name | always |
//! | `url.full` | the URL, with user, password and secret query values as `REDACTED` | client |
//! | `url.path`, `url.query` | path and query, redacted in the same way | server |
//! | `url.scheme` | the scheme of the request, or [the configured one](LoggingLayer::scheme) | server, unless a success |
//! | `server.address`, `server.port` | host and port of the URL; on a server also of `Host` | unless a success |
//! | `network.protocol.version` | `1.1`, `2`, … | unless a success |
//! | `seawall.upstream.url` | the URL of the upstream, redacted as `url.full` | server that forwards the request |
//! | `seawall.client`, `seawall.service`, `seawall.upstream.name`, `seawall.upstream.key` | the names in [`RequestAttributes`](crate::RequestAttributes) | if set |
//! | `http.route` | see [`route_fn`](LoggingLayer::route_fn) | if set |
//! | `user_agent.original` | see [`log_user_agent`](LoggingLayer::log_user_agent) | if enabled |
//! | `http.response.status_code`, `http.response.body.size` | the status, and the number of body bytes read | once there is a response |
//! | `rpc.response.status_code`, `seawall.grpc.message` | the name of the gRPC status, and `grpc-message` | gRPC |
//! | `http.request.resend_count` | the number of requests sent before the last one | client, unless zero |
//! | `error.type` | a failed status, or else the cause; on a server not for 4xx, and never if the caller cancelled | failure |
//! | `error.message` | the text of the innermost error | failure |
//! | `seawall.cause`, `.reporter`, `.processed`, `.advice` | the parts of the [`Failure`](crate::Failure) | failure |
//! | `seawall.retried_cause` | the cause of the last failed attempt | success after more than one attempt |
//! | `seawall.evidence` | the evidence that `BadGatewayClassifierLayer` found | failure |
//! | `seawall.attempts`, `.stop_reason` | the number of requests sent, and why retrying stopped | if the response has `RetryReport`, or the error is or contains `RetriesExhausted` |
//! | `seawall.outcome` | `complete`, `error`, `dropped` (during the body), `cancelled` (before the head), `panicked` | always |
//! | `seawall.duration_ms`, `.time_to_headers_ms` | the time to the end; the time to the head, if the body took 1 ms or more | always |
//! | `seawall.request_id` | the `x-request-id` of the request, as set by tower-http's `SetRequestIdLayer` outside this layer, or of a failed response | if present |
//! | `seawall.request.headers`, `.response.headers` | see [`log_headers`](LoggingLayer::log_headers) | if set |
//! | `seawall.response.body` | see [`max_failed_body_bytes`](LoggingLayer::max_failed_body_bytes) | if set, failure |
//!
//! The event of a cancelled call does not have the number of attempts. `RetryLayer` emits that
//! number at DEBUG, in the event `cancelled while retrying`.
//!
//! The event of an error that is not retried has no `seawall.stop_reason`, because that error is
//! not inside `RetriesExhausted`. `RetryLayer` emits the reason at DEBUG, in the event `giving up`.
//!
//! # Redaction
//!
//! The layer never logs user names and passwords in URLs, the values of query keys [known as
//! secrets](LoggingLayer::redact), the segments of paths [known as
//! secrets](LoggingLayer::redact_paths), or credentials in headers. In error messages, headers and
//! bodies, the queries of URLs are redacted whole. Headers and bodies are logged only if they are
//! enabled.
//!
//! Other secrets are logged: in an unknown path, in a list or JSON inside a query, or in a text
//! that is no URL.
//!
//! Untrusted text cannot forge log lines or fields. Control, bidirectional, invisible and
//! look-alike space characters are escaped, such as `\u{a0}`. Text is truncated at 256 characters,
//! headers and bodies at 2,048, and the path and the query of a URL at 2,048 each. An escape counts
//! as one character.
//!
//! # Traces
//!
//! [`otel_spans`](LoggingLayer::otel_spans) sets the name, kind, attributes and status of the span
//! in the form that [`tracing-opentelemetry`] expects. The name is `{method} {route}` or
//! `{method}`. The status is an error for 5xx, and on a client also for 4xx.
//!
//! The trace context (`traceparent`) is left to OpenTelemetry's own propagator. On a server,
//! extract the context and attach it around the call, outside this layer. On a client, inject the
//! context of the current span inside this layer:
//!
//! ```
//! # use http::Request;
//! # use opentelemetry::{
//! #     Context,
//! #     propagation::{Extractor, Injector, TextMapPropagator},
//! # };
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
//! #         if let (Ok(name), Ok(value)) = (key.parse::<http::HeaderName>(), value.parse()) {
//! #             self.0.insert(name, value);
//! #         }
//! #     }
//! # }
//! // `Headers` and `HeadersMut` are as in the crate opentelemetry-http.
//! fn call<S, B>(
//!     propagator: &impl TextMapPropagator,
//!     service: &mut S,
//!     request: Request<B>,
//! ) -> S::Future
//! where
//!     S: Service<Request<B>>,
//! {
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
//! Dropping the response future or the body drops the inner one. The event is emitted after that,
//! with the outcome `cancelled` or `dropped`.
//!
//! # Panics
//!
//! A panic in the inner service, the subscriber or a closure propagates through the call that is
//! being logged. Other requests are not affected. The record of a request is emitted once, even if
//! the subscriber panics.
//!
//! While a thread unwinds, nothing is emitted, because a subscriber that panics then would abort
//! the process. A call that panics therefore has no event; the panic hook is the place to report
//! it.
//!
//! If the panic is caught outside this layer, for example by tower-http's `CatchPanicLayer`, and
//! the call is dropped after that, the event has the outcome `panicked`. As always with `tracing`,
//! a span is exited and closed during unwinding too.
//!
//! # Order
//!
//! Outermost:
//!
//! - On a client, around [`RetryLayer`](crate::retry::RetryLayer), so that a call is one event.
//!   Inside a `RetryLayer`, each attempt has its own event, with the attempt number.
//! - On a server, around [`ErrorResponseLayer`](crate::error_response::ErrorResponseLayer), so that
//!   the event has the status that was sent.
//! - Around a rate limit such as `tower_governor`'s, so that rejected requests have an event too.
//!
//! # Differs from
//!
//! - `tower_http::trace`: one event instead of two or three, visible at INFO, with the path, the
//!   outcome of the body, and a readable cause.
//!
//! [semconv]: https://opentelemetry.io/docs/specs/semconv/http/http-spans/
//! [`tracing-opentelemetry`]: https://docs.rs/tracing-opentelemetry

mod body;
mod curl;
mod emit;
mod errors;
mod fields;
mod future;
mod grpc;
mod guard;
mod headers;
mod layer;
mod level;
mod message;
mod nesting;
mod otel;
mod outcome;
mod quote;
mod record;
mod rejection;
mod request_head;
mod sampler;
mod service;
mod settings;
mod shed_calls;
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
