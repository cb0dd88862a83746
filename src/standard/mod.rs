//! The whole stack as one layer, in the one order in which its parts work.
//!
//! [`StandardLayer::new`] stands around a client: failures that another try can mend do not reach you, an upstream that is down
//! is left alone, and no call takes for ever. [`StandardLayer::gateway`] is for a server that passes requests on: it
//! adds one line a request, and an honest answer for every failure that is left.
//!
//! Not covered: what only you can know. Which of your POSTs may be sent twice, how long *your* callers wait, how many calls at
//! once *your* upstream can take: see [Tuning](#tuning).
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
//! A gateway, whose service never fails and so goes straight into an axum router:
//!
//! ```
//! # #[cfg(feature = "hyper-util")] {
//! use axum::{
//!     Router,
//!     http::{Request, Version, header::HOST},
//! };
//! use hyper_util::{client::legacy::Client, rt::TokioExecutor};
//! use seawall::standard::StandardLayer;
//! use tower::ServiceBuilder;
//!
//! let upstream = ServiceBuilder::new()
//!     .map_request(|mut request: Request<_>| {
//!         let path = request.uri().path_and_query().map_or("/", |it| it.as_str());
//!         *request.uri_mut() = format!("http://billing:8080{path}").parse().unwrap_or_default();
//!         // Whatever the caller speaks, and whatever name it used.
//!         *request.version_mut() = Version::HTTP_11;
//!         request.headers_mut().remove(HOST);
//!         request
//!     })
//!     .layer(StandardLayer::gateway("edge"))
//!     .service(Client::builder(TokioExecutor::new()).build_http());
//! let app: Router = Router::new().fallback_service(upstream);
//! # let _ = app;
//! # }
//! ```
//!
//! The URL becomes the upstream's **around** the stack: circuits, budgets and policies go by the URL that the stack is given, and a caller
//! may write any host into its own. It is a service for `fallback_service` and the like, not for `Router::layer`, where it would
//! run your own handlers again. Of what a proxy owes its callers, it does not do `Connection`, `Forwarded` and the like.
//!
//! # What is in it
//!
//! From the outside in, with what a setter takes to replace it, or `None` to leave it out:
//!
//! | part | by default | set by |
//! |---|---|---|
//! | `LoggingLayer::server`, in a gateway | one line a request | [`access_log`](StandardLayer::access_log) |
//! | `ErrorResponseLayer`, in a gateway | every error becomes a 502, 503 or 504 | [`error_response`](StandardLayer::error_response) |
//! | `LoggingLayer::client` | failures at WARN, successes at DEBUG | [`logging`](StandardLayer::logging) |
//! | `DeadlineLayer` | left out: the retry has the total time limit | [`deadline`](StandardLayer::deadline) |
//! | `RetryLayer` | 30 s to the response's head, all attempts together; up to 4 retries, if that is safe; at most a fifth more load, or 3 retries in 10 s if that is more; a budget for each authority | [`timeouts`](StandardLayer::timeouts), [`retry`](StandardLayer::retry) |
//! | `CircuitBreakerLayer` | one circuit for each authority | [`circuit_breaker`](StandardLayer::circuit_breaker) |
//! | `InFlightLimitLayer` | left out | [`in_flight`](StandardLayer::in_flight) |
//! | `TimeoutLayer` | 10 s an attempt, to the response's head | [`timeouts`](StandardLayer::timeouts) |
//! | `BodyTimeoutLayer` | 60 s between two frames of a body | [`timeouts`](StandardLayer::timeouts) |
//! | `DeadlineHeaderLayer` | left out | [`deadline_header`](StandardLayer::deadline_header) |
//! | `BadGatewayClassifierLayer` | looks into failed responses, up to 4 KiB | [`bad_gateway`](StandardLayer::bad_gateway) |
//!
//! An *authority* is the host and port of a URL. Requests without one share the budget and circuit of the stack's name.
//! No setter changes the layer's type, but for three that say so; a part that is left out passes calls as they are.
//!
//! # Why in this order
//!
//! Each part relies upon its neighbours. The other way round:
//!
//! - **Logging inside retry** writes a line for each attempt, and none for the call: one cannot see whether the caller got an
//!   answer.
//! - **The deadline inside retry** begins anew with each attempt: five attempts of 30 s are two and a half minutes.
//! - **The breaker outside retry** sees one failure where the upstream saw five, and takes the waits between them for slowness;
//!   nor can an open circuit end the retrying.
//! - **The limit outside the breaker** would count calls that the breaker refuses anyway as calls under way.
//! - **The attempt's timeout outside the breaker** cancels the call that the breaker counts, and a cancelled call is neither success
//!   nor failure: an upstream that answers nothing would never open the circuit.
//! - **The classifier outside any of them** speaks when they have already decided.
//!
//! Layers that are put together by hand in an order that defeats them say so once, at DEBUG: a breaker around a retry, a log
//! inside of one.
//!
//! # Retry at one level only
//!
//! Three hops that make five attempts each make 125 of one request. So this is the only place that retries: the client
//! inside must not (`seawall::reqwest::Client` switches reqwest's own off; hyper-util's client sends only what it
//! never wrote again), a gateway answers `x-should-retry: false` when it has given up, and a retry that meets that answer
//! stops. A chain of three such hops sends five requests to the last, or four if nobody else calls, since a budget then has
//! three retries.
//!
//! # Tuning
//!
//! | if | then |
//! |---|---|
//! | your callers give up after 5 s | `.timeouts(Timeouts::new(Duration::from_secs(2), Duration::from_secs(5))?)` |
//! | your callers say how long they wait | `.deadline(DeadlineLayer::new(total).trust_header(TimeoutHeader::Grpc))`, and `.deadline_header(…)` to tell the next server |
//! | your POSTs can be repeated | send an `Idempotency-Key` with each, or `.retry(RetryLayer::new().retry_all_methods())` |
//! | the upstream collapses under load before it fails | `.in_flight(InFlightLimitLayer::new(n))`, with `n` a little above what it can do at once; if you do not know that, `.in_flight(InFlightLimitLayer::adaptive(AdaptiveLimit::new()))` |
//! | a few failures are normal there | `.circuit_breaker(CircuitBreakerLayer::new().failure_ratio(…))`, or `.circuit_breaker(None)` |
//! | responses stream for hours, with long silences | `Timeouts::new(…)?.body_idle(None)` |
//! | one name stands for several servers | `tower::balance` inside, a breaker with `open_behavior(OpenBehavior::Backpressure)` around each, and `.circuit_breaker(None)` here |
//!
//! # When what happens
//!
//! | when | then |
//! |---|---|
//! | the upstream refuses the connection, or its name does not resolve | the request is sent again, whatever its method: nothing was processed |
//! | it closes or resets the connection, is silent for an attempt's time, or answers 429, 500, 502, 503 or 504 | sent again, if its method or an `Idempotency-Key` allows that |
//! | retries or the budget are spent, or no time is left for another | the last response, or its error inside of `RetriesExhausted` |
//! | half of the last calls to an authority or more have failed, and there were 20; or nothing succeeded for a second, and 20 failed | `CircuitOpen` at once, for some seconds: nothing is sent, and nothing retried |
//! | the time of the whole call is over | `Elapsed`; what is under way is dropped |
//! | the response's body breaks off, or pauses for too long | an error where the body is read; not sent again, since the response is yours by then |
//! | an error is left, in a gateway | a 502, 503 or 504 that says what happened |
//! | a circuit is open, in a gateway | a 503 at once, which **leaves no line at INFO**: the one at WARN, when it opened, says why. `.access_log(LoggingLayer::server().rejected_level(Level::Info))` gives each of them one |
//! | nothing fails | head, frames and trailers pass as they are |
//!
//! # With clients, servers and other layers
//!
//! Each row has an example of that name in `examples/`, and tests on real sockets.
//!
//! | with | how | example |
//! |---|---|---|
//! | hyper-util's client | as it is, by HTTP/1.1 and HTTP/2; features `hyper-util`, `h2`, and `rustls-0_23` for https | `hello`, `hyper_client` |
//! | a connection of hyper's own | in a `service_fn`, which opens it again when it has ended; feature `hyper` | `hyper_connection` |
//! | reqwest | `seawall::reqwest::Client` | `reqwest_client`, `reqwest_connector` |
//! | tonic | `seawall::tonic::Client` around a channel, and `.classifier(GrpcClassifier::new())` | `tonic_client` |
//! | an axum server | server layers by `Router::layer`, `route_layer`, or on a nested router; in a handler the gateway's stack, whose outcome is a response | `axum_server` |
//! | an axum gateway | `fallback_service`, `route_service` or `nest_service`, with a stack for each upstream | `axum_gateway` |
//! | a rate limit for each client | `tower_governor` around the gateway, logging around that | `rate_limit` |
//! | `tower::balance` | inside, in a buffer, since the client must be `Clone`; a breaker **of its own layer** around each instance | `tower_balance` |
//! | `tower::limit`, `buffer`, `load_shed` | inside for attempts, around for calls; what `load_shed` inside refuses is not tried again | `tower_balance` |
//! | tower-http | see below | `tower_http` |
//!
//! | tower-http's | around the stack | inside |
//! |---|---|---|
//! | `TraceLayer` | a span a call | a span an attempt |
//! | `SetRequestIdLayer` | **one id for all attempts** | another for each |
//! | `SetRequestHeaderLayer` | both the same: an attempt starts with the headers that the stack was given | |
//! | `DecompressionLayer` | pages of gateways stay compressed for the stack, which then knows less of why they failed | **they can be read** |
//! | `FollowRedirectLayer` | **each hop is a call of its own** | refused after a redirect, a POST would look as if it had not been sent, and be repeated. So it does not compile; after `send_as` it does, and must not be used |
//! | `CompressionLayer` | on a server, around the gateway's stack, whose answers it compresses too | pointless |
//!
//! A gateway changes the URL around the stack (`map_request`, above), and there sets the version to HTTP/1.1 as well: hyper-util's client refuses a request of HTTP/2, as a caller may have sent it, for a connection of HTTP/1.1.
//!
//! # Cancel safety
//!
//! Dropping the future or the body releases everything, and counts as neither success nor failure.
//!
//! # Differs from
//!
//! - `ServiceBuilder` with the same layers, which this is: the order cannot be wrong, and one key is used for budget, circuit
//!   and limit.
//! - tower-http's or tower-resilience's stacks: their parts do not know of each other.

#[cfg(feature = "config")]
mod apply_policy;
mod classifier;
mod client;
#[cfg(feature = "error-response")]
mod gateway;
mod layer;
#[cfg(test)]
mod order;
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
pub use crate::keys::{ByAuthority, by_authority};
