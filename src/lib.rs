//! Tower middleware for one problem: **an upstream fails and somebody gets a 502 Bad Gateway.**
//!
//! Put around a client, it keeps such failures from the caller where that is safe; put around a server, it answers honestly
//! where it is not; and it leaves a record that a person can act on. It works with hyper, axum, reqwest and tonic, and on any
//! `tower::Service`, as one stack or layer by layer. (A *service* takes requests and gives responses; a *layer* wraps one service in
//! another, which sees what goes in and what comes out. That is all of [Tower](https://docs.rs/tower) that is needed here.)
//!
//! # In five minutes
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
//! [`StandardLayer`] around a client is all it takes. Here the upstream answers 502 to the first request:
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
//! For a gateway, a server that passes requests on, there is [`StandardLayer::gateway`]: its service never fails, and so goes straight
//! into an axum router. For reqwest there is `seawall::reqwest::Client`, for tonic `seawall::tonic::Client`.
//!
//! # What a 502 is, and who says so
//!
//! An *upstream* is the server that yours calls. When a *gateway* (a proxy, a load balancer, or your own service) gets no valid
//! response from its upstream, it answers in its place: 502 if there was none or a broken one, 504 if there was none in
//! time, 503 if it would not even try. So the status tells that somebody behind the sender failed, but neither who nor why;
//! and it looks the same whether nobody listened there, or a server died in the middle of a payment.
//!
//! What can be known of it is one small value, [`Failure`], which every layer reads:
//!
//! | what it says | for example |
//! |---|---|
//! | [`cause`](Failure::cause): what went wrong, by the names of RFC 9209, and what to check next | `connection_refused`, `http_response_timeout` |
//! | [`reporter`](Failure::reporter): who says so | this process, nginx, an AWS load balancer, unknown |
//! | [`processed`](Failure::processed): may the request have been acted on? | no, unlikely, maybe, yes |
//! | [`retry_after`](Failure::retry_after): how long the server asks to wait | 2 s |
//!
//! # When sending again is safe
//!
//! Sending again may do something twice. It cannot in two cases:
//!
//! - **Twice is the same as once.** GET, HEAD, PUT, DELETE, OPTIONS and TRACE are defined that way (RFC 9110 §9.2.2 calls them
//!   idempotent); a POST is not, unless the server knows it again by an `Idempotency-Key`.
//! - **Nothing was processed**, and this process has seen it: the connection was refused, the name did not resolve, the request
//!   was never written. The word of a response is never taken for it.
//!
//! Any other request is sent once, and its failure is yours to see. Even what is safe can do harm in numbers: an upstream that is
//! slow gets five times the load if everybody sends five times. So waits grow from try to try, by chance, so that callers do not come
//! back together; a server that says how long to wait is believed; and all calls together have a *budget*: no more retries than a
//! fifth of their number. [`retry`] has the exact rules.
//!
//! # The stack, and why in this order
//!
//! A request passes from the top down, its response or error from the bottom up:
//!
//! | layer | what it does | why there |
//! |---|---|---|
//! | [`LoggingLayer`] | writes one line a call, with the cause | outside of retry, so that a call is one line however many attempts it took |
//! | [`DeadlineLayer`] | bounds all attempts together | outside of retry, or each attempt would have the whole time |
//! | [`RetryLayer`] | sends again, when that is safe | outside of the breaker, so that each attempt counts there |
//! | [`CircuitBreakerLayer`] | stops calling an upstream that is down, until it is back | outside of the timeout, so that a timeout counts |
//! | [`InFlightLimitLayer`] | refuses calls beyond a number that are under way; off unless set | inside of the breaker, which does not count what is refused |
//! | [`TimeoutLayer`], [`BodyTimeoutLayer`] | bound each attempt, and each silence in a body | inside of retry, so that each attempt has its own |
//! | [`DeadlineHeaderLayer`] | tells the next server how long it has; off unless set | innermost but one, so that each attempt says what is left by then |
//! | [`BadGatewayClassifierLayer`] | works out why a response failed, and who says so | innermost, so that all see its word |
//!
//! In a gateway two more stand around it: [`LoggingLayer::server`], one line a request, and [`ErrorResponseLayer`], which turns any
//! error into an honest 502, 503 or 504. `RequestDurationLayer` (feature `metrics`) measures, wherever you put it.
//!
//! Each also works alone. [`standard`] says what goes wrong in another order; retry at *one* level of a chain only: three hops of five
//! attempts each make 125.
//!
//! # What you see
//!
//! A line for each call that failed, by `tracing`, with as many fields by OpenTelemetry's names; secrets are redacted. To have it on
//! your terminal takes a subscriber, such as `tracing_subscriber::fmt::init()`:
//!
//! ```text
//! WARN GET http://billing:8080/invoice -> connection refused (seen here; not processed) in 764.5ms, 5 attempts (max retries)
//! ```
//!
//! The response, or the error, carries the same for your code:
//!
//! ```
//! # #[cfg(feature = "full")] {
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # use tower::{Layer, ServiceExt};
//! # // Others have called before: where nobody does, a budget has three retries.
//! # static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
//! # let client = seawall::standard::StandardLayer::new("billing").layer(tower::service_fn(async |_: http::Request<seawall::retry::ReplayBody<Body>>| {
//! #     if CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 20 { return Ok(http::Response::new(Body::default())); }
//! #     Err::<http::Response<Body>, _>(std::io::Error::from(std::io::ErrorKind::ConnectionRefused))
//! # }));
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
//! The defaults suit a call between two services of one data centre. What only you can know:
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
//!     // Callers give up after 5 s: 2 s an attempt, 5 s in all.
//!     .timeouts(Timeouts::new(Duration::from_secs(2), Duration::from_secs(5))?)
//!     // Every POST may be repeated, there.
//!     .retry(RetryLayer::new().retry_all_methods())
//!     // It can do 64 at once.
//!     .in_flight(InFlightLimitLayer::new(NonZeroU32::new(64).unwrap_or(NonZeroU32::MAX)));
//! # let _ = layer;
//! # Ok(())
//! # }
//! # #[cfg(feature = "full")]
//! # tuned().unwrap();
//! ```
//!
//! Each setter takes a part's settings, or `None` to leave it out. [`standard`](standard#tuning) has a table of *if* and *then*.
//! Whoever runs the service can have the same in a file, for each upstream by what its URLs begin with: feature `config`, `seawall::config`.
//!
//! # Testing your own service
//!
//! What a stack does is seldom seen before an upstream fails. So let one fail as it is told (feature `test-util`, among the
//! `[dev-dependencies]`): in the place of the client, on a clock that a test can pause, or on a real socket.
//!
//! ```
//! # #[cfg(all(feature = "full", feature = "test-util"))] {
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! use http::Request;
//! use seawall::{standard::StandardLayer, test_util::{FlakyService, Script, Step}};
//! use tower::{Layer, ServiceExt};
//!
//! // In a test of yours: #[tokio::test(start_paused = true)]
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
//! # Further
//!
//! - [`cookbook`]: two dozen recipes, from paying once to spreading calls over servers.
//! - [`type_errors`]: what the compiler says when a stack does not fit together, and what mends it.
//! - [`migration`]: urllib3, requests, httpx, Polly, resilience4j, Envoy, tower.
//! - Each layer's module: what it promises and what not, when it does what, and what it costs to drop a call half way.
//!
//! # Promises
//!
//! A request that might do harm twice is not sent twice. Retrying cannot multiply an outage. Every attempt sends the same bytes.
//! Nothing that an upstream sends can make a layer panic, and all that is kept is bounded. What succeeds passes untouched. Dropping
//! a call at any moment releases everything. No `unsafe`.
//!
//! # Features
//!
//! | feature | what | default |
//! |---|---|---|
//! | `full` | all layers | yes |
//! | `standard` | [`StandardLayer`] and the layers of a client: all but `error-response` | by `full` |
//! | `retry`, `circuit-breaker`, `in-flight`, `timeout`, `body-timeout`, `deadline`, `bad-gateway`, `logging`, `error-response` | one layer each | by `full` |
//! | `hyper`, `hyper-util`, `h2`, `rustls-0_23` | the classifier looks into the errors of these crates: without them a refused connection is recognised, but a closed one is not. `hyper-util` also brings `TrackReuse` | no |
//! | `reqwest-0_13`, `tonic-0_14` | the same, and a client as a service: `seawall::reqwest::Client`, `seawall::tonic::Client` | no |
//! | `metrics` | counts for a recorder of the `metrics` crate, and `RequestDurationLayer` | no |
//! | `config`, `config-schema` | policies from a file, for each upstream, replaced while calls are under way: `seawall::config`; their JSON schema | no |
//! | `test-util` | for your tests: upstreams that fail as they are told, `seawall::test_util` | no |
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
//! [`RequestDurationLayer`]: request_duration::RequestDurationLayer
#![cfg_attr(docsrs, feature(doc_cfg))]
// A page may name what stands behind a feature that is off.
#![cfg_attr(not(feature = "full"), allow(rustdoc::broken_intra_doc_links))]
// The types and helpers that layers share are compiled always. A build without some of these features uses only a part.
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
mod jitter;
mod keys;
#[cfg(any(feature = "circuit-breaker", feature = "logging"))]
mod layer_order;
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
    BoxError, Cause, Failure, ParseCauseError, Processed, Product, Ratio, RatioOutOfRange,
    Reporter, classify, find_source,
};
#[cfg(feature = "test-util")]
#[doc(inline)]
pub use seawall_test as test_util;

pub use self::time_limit::Deadline;

/// The README's examples, compiled.
#[cfg(all(doctest, feature = "full", feature = "hyper-util"))]
#[doc = include_str!("../README.md")]
mod readme {}
