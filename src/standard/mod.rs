//! The whole stack as one layer, in the required order.
//!
//! [`StandardLayer::new`] wraps a client. It retries failures that another attempt can fix, stops
//! calling an upstream that is down, and limits the time of every call. [`StandardLayer::gateway`]
//! is for a server that forwards requests. It also logs each request, and turns each remaining
//! failure into an accurate response.
//!
//! Some settings depend on your system: which POSTs are safe to repeat, how long your callers wait,
//! and how many calls your upstream can process at once. See [Tuning](#tuning).
//!
//! # Example
//!
//! ```
//! # #[cfg(feature = "hyper-util")] {
//! use bytes::Bytes;
//! use http_body_util::Full;
//! use hyper_util::{client::legacy::Client, rt::TokioExecutor};
//! use seawall::standard::StandardLayer;
//! use tower::ServiceBuilder;
//!
//! let client = ServiceBuilder::new()
//!     .layer(StandardLayer::new("billing"))
//!     .service(Client::builder(TokioExecutor::new()).build_http());
//! # fn takes(_: impl tower::Service<http::Request<Full<Bytes>>>) {}
//! # takes(client);
//! # }
//! ```
//!
//! A gateway. Its service never fails, so it fits into an axum router:
//!
//! ```
//! # #[cfg(feature = "hyper-util")]
//! # fn app() -> Result<axum::Router, seawall::BoxError> {
//! use std::future::ready;
//! use axum::{Router, extract::Request, http::StatusCode, middleware::map_request};
//! use hyper_util::{client::legacy::Client, rt::TokioExecutor};
//! use seawall::{gateway::UpstreamUri, standard::StandardLayer};
//! use tower::ServiceBuilder;
//!
//! let upstream: UpstreamUri = "http://billing:8080".parse()?;
//! let rewrite = move |request: Request| {
//!     let request = upstream.rewrite(request);
//!     ready(request.map_err(|error| (StatusCode::BAD_REQUEST, error.to_string())))
//! };
//! let billing = ServiceBuilder::new()
//!     .layer(map_request(rewrite))
//!     .layer(StandardLayer::gateway("edge"))
//!     .service(Client::builder(TokioExecutor::new()).build_http());
//! let app = Router::new().fallback_service(billing);
//! # Ok(app)
//! # }
//! ```
//!
//! [`UpstreamUri`](crate::gateway::UpstreamUri) keeps the caller's path and query. The caller's
//! protocol version and host name have no effect.
//! Set the upstream's URL **outside** the stack. Circuits, budgets and policies use the URL that
//! the stack receives, and a caller can send any host. Use the stack in `fallback_service` and
//! similar, not in `Router::layer`, where a retry would call your own handlers again. The stack
//! does not handle `Connection`, `Forwarded` and other headers that a proxy must process.
//!
//! # Layers
//!
//! From the outside in. A setter replaces a layer, and `without_*` disables it.
//!
//! | layer | default | setter |
//! |---|---|---|
//! | `LoggingLayer::server`, in a gateway | one event per request, with the received target, the upstream and the cause of a failure | [`access_log`](StandardLayer::access_log) |
//! | `ErrorResponseLayer`, in a gateway | every error becomes a 502, 503 or 504 | [`error_response`](StandardLayer::error_response) |
//! | `LoggingLayer::client` | failures at WARN, successes at DEBUG; in a gateway with an access log, all at DEBUG but retried successes | [`logging`](StandardLayer::logging) |
//! | `DeadlineLayer` | disabled, since the retry layer enforces the total timeout | [`deadline`](StandardLayer::deadline) |
//! | `RetryLayer` | 30 s to the response's head, for all attempts together; up to 4 retries, if that is safe; a budget per authority of 20 % of the calls, or 3 retries in 10 s if that is more | [`timeouts`](StandardLayer::timeouts), [`retry`](StandardLayer::retry) |
//! | `CircuitBreakerLayer` | one circuit per authority | [`circuit_breaker`](StandardLayer::circuit_breaker) |
//! | `InFlightLimitLayer` | disabled | [`in_flight`](StandardLayer::in_flight) |
//! | `TimeoutLayer` | 10 s per attempt, to the response's head, without the waits for the caller's request body; 10 s per such wait | [`timeouts`](StandardLayer::timeouts) |
//! | `BodyTimeoutLayer` | 60 s between two frames of a body | [`timeouts`](StandardLayer::timeouts) |
//! | `DeadlineHeaderLayer` | disabled | [`deadline_header`](StandardLayer::deadline_header) |
//! | `BadGatewayClassifierLayer` | inspects failed responses, up to 4 KiB | [`bad_gateway`](StandardLayer::bad_gateway) |
//!
//! The *authority* is the host and port of a URL. Requests without one share the budget and the
//! circuit that have the stack's name. A disabled layer passes calls unchanged.
//!
//! # Order of the layers
//!
//! Each layer depends on its neighbors. In another order:
//!
//! - **Logging inside retry** logs each attempt but not the call, so the log does not show whether
//!   the caller got a response.
//! - **The deadline inside retry** restarts with each attempt: five attempts of 30 s take two and a
//!   half minutes.
//! - **The breaker outside retry** counts one failure where the upstream had five, and counts the
//!   backoff as slowness. An open circuit cannot stop the retries.
//! - **The limit outside the breaker** uses permits for calls that the breaker rejects.
//! - **The attempt timeout outside the breaker** cancels the call that the breaker observes. A
//!   cancelled call is neither success nor failure, so an upstream that never responds would not
//!   open the circuit.
//! - **The classifier outside any of them** classifies a response only after they have acted on it.
//!
//! Two wrong orders of hand-built stacks are logged once, at DEBUG: a breaker around a retry, and a
//! log inside a retry.
//!
//! # Retry at one hop only
//!
//! Three hops with five attempts each amplify one request into 125. The stack must be the only
//! place that retries:
//!
//! - The inner client must not retry. `seawall::reqwest::Client` disables reqwest's own retries.
//!   hyper-util's client resends only requests that it never wrote.
//! - A gateway responds with `x-should-retry: false` after its last attempt, and a retry layer does
//!   not retry that response.
//!
//! A chain of three such hops sends five requests to the upstream of the last hop. It sends four if
//! there are no other calls, because the budget then allows three retries.
//!
//! # Tuning
//!
//! | if | then |
//! |---|---|
//! | your callers give up after 5 s | `.timeouts(Timeouts::new(Duration::from_secs(2), Duration::from_secs(5))?)` |
//! | your callers send their timeout | `.deadline(DeadlineLayer::new(total).trust_header(TimeoutHeader::Grpc))`, and `.deadline_header(…)` to forward it to the next hop |
//! | your POSTs are safe to repeat | send an `Idempotency-Key` with each, or `.retry(RetryLayer::new().retry_all_methods())` |
//! | the upstream collapses under load before it fails | `.in_flight(InFlightLimitLayer::new(n))`, with `n` slightly above its concurrency; if you do not know that, `.in_flight(InFlightLimitLayer::adaptive(AdaptiveLimit::new()))` |
//! | a few failures of the upstream are normal | `.circuit_breaker(CircuitBreakerLayer::new().failure_ratio(…))`, or `.without_circuit_breaker()` |
//! | responses stream for hours, with long pauses | `Timeouts::new(…)?.without_body_idle()` |
//! | one name has several servers | `tower::balance` inside, a breaker with `open_behavior(OpenBehavior::Backpressure)` around each, and `.without_circuit_breaker()` here |
//!
//! # Behavior
//!
//! | when | then |
//! |---|---|
//! | the connection is refused, or the name does not resolve | any method is retried, since nothing was processed |
//! | the connection is closed or reset, an attempt times out, or the status is 429, 500, 502, 503 or 504 | retried if the method or an `Idempotency-Key` allows it |
//! | the retries, the budget or the time are exhausted | the last response, or its error inside `RetriesExhausted` |
//! | half of the recent calls to an authority failed, out of at least 20; or nothing succeeded for a second, and at least 20 calls failed | `CircuitOpen` at once for some seconds, without a request and without a retry |
//! | the caller's request body is pending for as long as an attempt may take, or when the total timeout elapses | `Elapsed` with the cause `request_timeout`, a 408 in a gateway; not retried, and not counted by the circuit |
//! | the total timeout elapses | `Elapsed`; the attempt in flight is dropped |
//! | the response's body breaks off, or pauses for too long | an error from the body; no retry, since the caller has the response |
//! | an error remains, in a gateway | a 502, 503 or 504 that describes it |
//! | a circuit is open, in a gateway | a 503 at once, which is **not logged at INFO**: an event at WARN when it opens, and one per minute, have the reason. `.access_log(LoggingLayer::server().rejected_level(Level::Info))` logs each of them |
//! | nothing fails | head, frames and trailers pass unchanged |
//!
//! # Integration
//!
//! Each row has an example of that name in `examples/`, and tests on real sockets.
//!
//! | with | how | example |
//! |---|---|---|
//! | hyper-util's client | unchanged, with HTTP/1.1 and HTTP/2, for HTTP/2 in a `PoisonOnTimeout` and [with pings](crate::cookbook::clients#replace-dead-http2-connections); features `hyper-util`, `h2`, and `rustls-0_23` for https | `hello`, `hyper_client` |
//! | a connection of hyper | in a `service_fn` that reconnects when the connection has ended; feature `hyper` | `hyper_connection` |
//! | reqwest | `seawall::reqwest::Client`, with pings if its feature `http2` is on | `reqwest_client`, `reqwest_connector` |
//! | tonic | `seawall::tonic::Client` around a channel with pings, and `.classifier(GrpcClassifier::new())` | `tonic_client` |
//! | an axum server | server layers by `Router::layer`, `route_layer`, or on a nested router; in a handler the gateway's stack, whose outcome is a response | `axum_server` |
//! | an axum gateway | `fallback_service`, `route_service` or `nest_service`, with one stack per upstream | `axum_gateway` |
//! | a rate limit per client | `tower_governor` around the gateway, logging around that | `rate_limit` |
//! | `tower::balance` | inside, in a buffer, since the client must be `Clone`; a breaker **from its own layer** around each instance | `tower_balance` |
//! | `tower::limit`, `buffer`, `load_shed` | inside for attempts, around for calls; a rejection by an inner `load_shed` is not retried | `tower_balance` |
//! | tower-http | see below | `tower_http` |
//!
//! | tower-http's | around the stack | inside |
//! |---|---|---|
//! | `TraceLayer` | one span per call | one span per attempt |
//! | `SetRequestIdLayer` | **one id for all attempts** | another id for each attempt |
//! | `SetRequestHeaderLayer` | same as inside: each attempt starts with the headers that the stack received | |
//! | `DecompressionLayer` | error pages of gateways stay compressed for the stack, so it knows less about the cause | **error pages are readable** |
//! | `FollowRedirectLayer` | **each redirect is a call of its own** | must not be used: a connection refused after a redirect would look like an unsent POST, which would be repeated. It does not compile, unless `map_body` is used |
//! | `CompressionLayer` | on a server, around the gateway's stack; compresses its error responses too | no use |
//!
//! A gateway changes the URL outside the stack, as shown above. It also sets the
//! version to HTTP/1.1 there, because hyper-util's client rejects an HTTP/2 request on an HTTP/1.1
//! connection.
//!
//! # Cancel safety
//!
//! Dropping the future or the body cancels the call and releases its permits. The call counts as
//! neither success nor failure.
//!
//! # Differs from
//!
//! - `ServiceBuilder` with the same layers: this layer fixes their order, and the budget, circuit
//!   and limit use the same key.
//! - Stacks of tower-http or tower-resilience: their layers do not share state.

mod classifier;
mod client;
#[cfg(feature = "error-response")]
mod gateway;
#[cfg(test)]
mod hints;
mod layer;
pub(crate) mod per_key;
mod stack;
mod timeouts;

#[cfg(feature = "error-response")]
pub use self::gateway::Gateway;
pub use self::{
    client::Client,
    layer::StandardLayer,
    stack::{ResponseBody, Standard},
    timeouts::{InvalidTimeouts, Timeouts},
};
