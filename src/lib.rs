//! Tower layers that keep upstream failures, above all **502 Bad Gateway**, from the users of a
//! Rust service.
//!
//! Around a client, the layers retry requests that are safe to retry. Around a server, they turn
//! the remaining failures into an accurate 502, 503 or 504. In both cases they log the failure and
//! its cause. The layers work with hyper, axum, reqwest, tonic and any `tower::Service`, as one
//! stack or one by one.
//!
//! In [Tower](https://docs.rs/tower), a *service* takes requests and returns responses. A *layer*
//! wraps a service in another service, which sees each request and response.
//!
//! # Quick start
//!
//! ```toml
//! [dependencies]
//! bytes = "1"
//! http = "1"
//! http-body-util = "0.1"
//! hyper-util = { version = "0.1", features = ["client-legacy", "http1", "tokio"] }
//! seawall = { version = "0.1", features = ["hyper-util", "h2"] }
//! tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
//! tower = { version = "0.5", features = ["util"] }
//! ```
//!
//! Wrap a client in [`StandardLayer`]. In this example the upstream responds to the first request
//! with 502:
//!
//! ```
//! # #[cfg(feature = "full")] {
//! use bytes::Bytes;
//! use http::Request;
//! use http_body_util::Empty;
//! use hyper_util::{client::legacy::Client, rt::TokioExecutor};
//! use seawall::standard::StandardLayer;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # let upstream = scripted_origin::Origin::start(scripted_origin::Script::Once(502, "")).await?;
//! # let url = format!("http://{}/", upstream.addr());
//! let client = ServiceBuilder::new()
//!     .layer(StandardLayer::new("billing"))
//!     .service(Client::builder(TokioExecutor::new()).build_http());
//!
//! let request = Request::get(url).body(Empty::<Bytes>::new())?;
//! let response = client.oneshot(request).await?;
//! assert_eq!(response.status(), 200);
//! # assert_eq!(upstream.requests(), 2);
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```
//!
//! For a gateway, a server that forwards requests, use [`StandardLayer::gateway`]. Its service
//! never fails, so it fits into an axum router. For reqwest use `seawall::reqwest::Client`, for
//! tonic `seawall::tonic::Client`.
//!
//! # 502 Bad Gateway
//!
//! An *upstream* is the server that your service calls. A *gateway* is a proxy, a load balancer, or
//! your own service. If a gateway gets no valid response from its upstream, it sends an error
//! response itself:
//!
//! - 502 if there was no response, or a broken one.
//! - 504 if there was no response in time.
//! - 503 if it did not call the upstream.
//!
//! The status reveals neither the cause nor the server that failed. It is the same whether no
//! server was listening or a server died in the middle of a payment.
//!
//! Each failure is described by one small value, [`Failure`], which every layer reads:
//!
//! | accessor | meaning | examples |
//! |---|---|---|
//! | [`cause`](Failure::cause) | the cause, named as in RFC 9209, with advice on what to check next | `connection_refused`, `http_response_timeout` |
//! | [`reporter`](Failure::reporter) | the component that reported the failure | this process, nginx, an AWS load balancer, unknown |
//! | [`processed`](Failure::processed) | whether the request may have been processed | no, unlikely, maybe, yes |
//! | [`retry_after`](Failure::retry_after) | the wait that the server asks for | 2 s |
//!
//! # Safe retries
//!
//! A retry can execute a request twice. It is safe in two cases:
//!
//! - **The request is idempotent.** GET, HEAD, PUT, DELETE, OPTIONS and TRACE are (RFC 9110
//!   §9.2.2). A POST is not, unless the server recognizes it by an `Idempotency-Key`.
//! - **The request was provably not processed.** The connection was refused, the name did not
//!   resolve, or the request was never written. A response is never accepted as proof.
//!
//! Any other request is sent once, and you get its failure.
//!
//! Even safe retries can do harm in large numbers: a slow upstream gets five times the load if each
//! client makes five attempts. Delays between attempts therefore grow exponentially and are
//! jittered, so that clients do not retry in lockstep. `Retry-After` is honored. A retry *budget*,
//! shared by all calls, caps retries at 20 % of calls, or at 3 in 10 s if that is more. [`retry`]
//! has the exact rules.
//!
//! # The stack
//!
//! A request passes from the top down, its response or error from the bottom up:
//!
//! | layer | purpose | reason for its position |
//! |---|---|---|
//! | [`LoggingLayer`] | logs one line per call, with the cause | outside retry: a call is one line, whatever its number of attempts |
//! | [`DeadlineLayer`] | limits all attempts by the deadline of a caller; off by default, since retry has a total timeout | outside retry: otherwise each attempt would get the full time |
//! | [`RetryLayer`] | retries when that is safe | outside the breaker: each attempt counts there |
//! | [`CircuitBreakerLayer`] | stops calling an upstream that is down, until it recovers | outside the timeout: a timeout counts as a failure |
//! | [`InFlightLimitLayer`] | rejects calls above a number in flight; off by default | inside the breaker, which does not count rejected calls |
//! | [`TimeoutLayer`], [`BodyTimeoutLayer`] | limit each attempt, and each pause in a body | inside retry: each attempt has its own timeout |
//! | [`DeadlineHeaderLayer`] | sends the remaining time to the next server; off by default | next to innermost: each attempt sends the time left at that moment |
//! | [`BadGatewayClassifierLayer`] | determines why a response failed and which server reported it | innermost: all other layers see its result |
//!
//! A gateway has two more layers around the stack. [`LoggingLayer::server`] logs one line per
//! request. [`ErrorResponseLayer`] turns every error into an accurate 502, 503 or 504.
//! `RequestDurationLayer` (feature `metrics`) measures at any position.
//!
//! Each layer also works alone. [`standard`] explains the problems of other orders. Retry at one
//! hop only: three hops with five attempts each amplify one request into 125.
//!
//! # Logs and errors
//!
//! Each failed call is logged as one line, through `tracing`, with fields named as in OpenTelemetry
//! where OpenTelemetry defines them. Secrets are redacted. To see the lines, install a subscriber,
//! such as `tracing_subscriber::fmt::init()`:
//!
//! ```text
//! WARN GET http://billing:8080/invoice -> connection refused (detected locally; not processed) in 764.5ms, 5 attempts (max retries)
//! ```
//!
//! The response or error carries the same information for your code:
//!
//! ```
//! # #[cfg(feature = "full")] {
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # use tower::{Layer, ServiceExt};
//! # // Earlier calls: without them, a budget has only three retries.
//! # static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
//! # type Request = http::Request<seawall::retry::ReplayBody<Body>>;
//! # let upstream = tower::service_fn(async |_: Request| {
//! #     if CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 20 {
//! #         return Ok(http::Response::new(Body::default()));
//! #     }
//! #     Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused))
//! # });
//! # let client = seawall::standard::StandardLayer::new("billing").layer(upstream);
//! # let get = || http::Request::get("http://billing:8080/invoice").body(Body::default());
//! # for _ in 0..20 { client.clone().oneshot(get()?).await?; }
//! # let request = get()?;
//! use seawall::{Cause, Processed, classify::classify_error, find_source, retry::RetriesExhausted};
//!
//! let error = client.oneshot(request).await.unwrap_err();
//! let failure = classify_error(&*error);
//! assert_eq!(failure.cause(), Cause::ConnectionRefused);
//! assert_eq!(failure.processed(), Processed::No);
//! assert_eq!(find_source::<RetriesExhausted>(&*error).ok_or("one attempt")?.attempts().get(), 5);
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```
//!
//! # Tuning
//!
//! The defaults suit a call between two services in one data center. Only you can know these
//! settings:
//!
//! ```
//! # #[cfg(feature = "full")]
//! # fn tuned() -> Result<(), seawall::standard::InvalidTimeouts> {
//! use std::{num::NonZeroU32, time::Duration};
//! use seawall::{
//!     in_flight::InFlightLimitLayer,
//!     retry::RetryLayer,
//!     standard::{StandardLayer, Timeouts},
//! };
//!
//! let layer = StandardLayer::new("billing")
//!     // Callers give up after 5 s: 2 s per attempt, 5 s in total.
//!     .timeouts(Timeouts::new(Duration::from_secs(2), Duration::from_secs(5))?)
//!     // This upstream accepts repeated POSTs.
//!     .retry(RetryLayer::new().retry_all_methods())
//!     // It can serve 64 requests at once.
//!     .in_flight(InFlightLimitLayer::new(NonZeroU32::new(64).unwrap_or(NonZeroU32::MAX)));
//! # let _ = layer;
//! # Ok(())
//! # }
//! # #[cfg(feature = "full")]
//! # tuned().unwrap();
//! ```
//!
//! Each setter takes a layer. Methods such as `without_retry` leave a default layer out.
//! [`standard`](standard#tuning) has a table of situations and settings. With the feature `config`,
//! an operator can set the same in a file, per upstream by URL prefix: `seawall::config`.
//!
//! # Testing
//!
//! The behavior of a stack only shows when an upstream fails. The feature `test-util` (for
//! `[dev-dependencies]`) provides upstreams that follow a script: in place of the client, with a
//! clock that a test can pause, or on a real socket. The clock needs tokio's feature `test-util`:
//!
//! ```toml
//! [dev-dependencies]
//! seawall = { version = "0.1", features = ["test-util"] }
//! tokio = { version = "1", features = ["macros", "test-util"] }
//! ```
//!
//! ```
//! # #[cfg(all(feature = "full", feature = "test-util"))] {
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! use http::Request;
//! use seawall::{standard::StandardLayer, test_util::{FlakyService, Script, Step}};
//! use tower::{Layer, ServiceExt};
//!
//! // In your test: #[tokio::test(start_paused = true)]
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! let upstream = FlakyService::new(
//!     Script::new().then(Step::reset()).then(Step::status(502)).then_repeat(Step::ok("hello")),
//! )?;
//! let client = StandardLayer::new("billing").layer(upstream.clone());
//!
//! let response = client.oneshot(Request::get("http://billing/").body(Body::default())?).await?;
//! assert_eq!(response.status(), 200);
//! assert_eq!(upstream.requests(), 3);
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```
//!
//! # More documentation
//!
//! - [`cookbook`]: two dozen recipes, from idempotent payments to load balancing.
//! - [`type_errors`]: compiler errors for a stack that does not fit together, and their fixes.
//! - [`migration`]: equivalents for urllib3, requests, httpx, Polly, resilience4j, Envoy and tower.
//! - Each layer's module: its behavior, limitations, order and cancel safety.
//!
//! # Guarantees
//!
//! - A request that is unsafe to repeat is not sent twice.
//! - Retries cannot multiply an outage.
//! - Every attempt sends the same bytes.
//! - No bytes from an upstream can make a layer panic, and all stored state is bounded.
//! - Successful responses pass unchanged.
//! - Dropping a call at any moment releases everything.
//! - There is no `unsafe` code.
//!
//! # Features
//!
//! | feature | content | default |
//! |---|---|---|
//! | `full` | all layers | yes |
//! | `standard` | [`StandardLayer`] and the layers of a client: all but `error-response` | in `full` |
//! | `retry`, `circuit-breaker`, `in-flight`, `timeout`, `body-timeout`, `deadline`, `bad-gateway`, `logging`, `error-response` | one layer each | in `full` |
//! | `hyper`, `hyper-util`, `h2`, `rustls-0_23` | classification of the errors of these crates; without them a refused connection is recognized, but a closed connection is not. `hyper-util` also adds `TrackReuse` | no |
//! | `tower-0_5`, `tower-http-0_6`, `tower-http-0_7` | the same for rejections and time limits of their layers inside the stack; without them a rejection counts as a failure of the upstream | no |
//! | `reqwest-0_13`, `tonic-0_14` | the same, and a client as a service: `seawall::reqwest::Client`, `seawall::tonic::Client` | no |
//! | `metrics` | metrics for a recorder of the `metrics` crate, and `RequestDurationLayer` | no |
//! | `commit` | `seawall::commit`: holds the streams of LLM APIs until they have content | no |
//! | `config`, `config-schema` | policies from a file, per upstream, replaceable while calls are in flight: `seawall::config`; their JSON schema | no |
//! | `test-util` | scripted failing upstreams for your tests: `seawall::test_util` | no |
//!
//! [`StandardLayer`]: standard::StandardLayer
//! [`StandardLayer::gateway`]: standard::StandardLayer::gateway
//! [`LoggingLayer`]: logging::LoggingLayer
//! [`LoggingLayer::server`]: logging::LoggingLayer::server
//! [`DeadlineLayer`]: deadline::DeadlineLayer
//! [`RetryLayer`]: retry::RetryLayer
//! [`CircuitBreakerLayer`]: circuit_breaker::CircuitBreakerLayer
//! [`InFlightLimitLayer`]: in_flight::InFlightLimitLayer
//! [`TimeoutLayer`]: timeout::TimeoutLayer
//! [`BodyTimeoutLayer`]: body_timeout::BodyTimeoutLayer
//! [`DeadlineHeaderLayer`]: deadline::DeadlineHeaderLayer
//! [`BadGatewayClassifierLayer`]: bad_gateway::BadGatewayClassifierLayer
//! [`ErrorResponseLayer`]: error_response::ErrorResponseLayer
#![cfg_attr(docsrs, feature(doc_cfg))]
// Docs may link to items of a feature that is off.
#![cfg_attr(not(feature = "full"), allow(rustdoc::broken_intra_doc_links))]
// Shared types and helpers are always compiled, but a build without some of these features uses
// only a part of them.
#![cfg_attr(
    not(all(
        feature = "full",
        feature = "config",
        feature = "metrics",
        feature = "reqwest-0_13",
        feature = "test-util",
    )),
    allow(dead_code, unreachable_pub, unused_imports)
)]
#![warn(missing_docs)]

mod backoff;
mod body;
mod budget;
mod escape;
pub mod gateway;
mod headers;
mod jitter;
pub mod keys;
#[cfg(any(feature = "circuit-breaker", feature = "logging"))]
mod layer_order;
mod received_target;
mod redact;
#[cfg(any(feature = "circuit-breaker", feature = "in-flight", feature = "logging"))]
mod rejections;
mod request_attributes;
mod semconv;
mod sharded_arc;
mod sync;
mod time_limit;

#[cfg(feature = "bad-gateway")]
pub mod bad_gateway;
#[cfg(feature = "body-timeout")]
pub mod body_timeout;
#[cfg(feature = "circuit-breaker")]
pub mod circuit_breaker;
/// When a permit is released and a result recorded: a type parameter of the layers that hold permits.
pub mod completion {
    pub use crate::body::{CompleteOnBodyEnd, CompleteOnResponse};
}
#[cfg(feature = "commit")]
pub mod commit;
#[cfg(feature = "config")]
pub mod config;
#[cfg(feature = "full")]
pub mod cookbook;
#[cfg(feature = "deadline")]
pub mod deadline;
#[cfg(feature = "error-response")]
pub mod error_response;
#[cfg(feature = "hyper-util")]
pub mod hyper_util;
#[cfg(feature = "in-flight")]
pub mod in_flight;
#[cfg(feature = "logging")]
pub mod logging;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "metrics/off.rs"]
mod metrics;
#[cfg(feature = "full")]
pub mod migration;
#[cfg(feature = "metrics")]
pub mod request_duration;
#[cfg(feature = "reqwest-0_13")]
pub mod reqwest;
#[cfg(feature = "retry")]
pub mod retry;
#[cfg(feature = "standard")]
pub mod standard;
#[cfg(feature = "timeout")]
pub mod timeout;
#[cfg(feature = "tonic-0_14")]
pub mod tonic;
#[cfg(feature = "full")]
pub mod type_errors;

#[doc(inline)]
pub use seawall_core::{
    Blame, BoxError, Cause, ClosedBy, Detail, Failure, ParseCauseError, Processed, Product, Ratio,
    RatioOutOfRange, Reporter, Resource, classify,
    elapsed::{Elapsed, TimeoutKind},
    find_source,
};
#[cfg(feature = "test-util")]
#[doc(inline)]
pub use seawall_test as test_util;

pub use self::{
    received_target::ReceivedTarget,
    request_attributes::RequestAttributes,
    time_limit::{Deadline, TimeoutBody},
};

/// The README's examples, compiled.
#[cfg(all(doctest, feature = "full", feature = "hyper-util"))]
#[doc = include_str!("../README.md")]
mod readme {}
