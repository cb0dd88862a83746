//! Tower middleware for one problem: **an upstream fails and somebody gets a 502 Bad Gateway.**
//!
//! An *upstream* is the server that your service calls; when a gateway cannot get a valid response from it, the
//! gateway answers 502, 503 or 504 in its place. These layers say why, keep the failure from the caller when that is
//! safe, answer well when it is not, and leave a record that a person can act on.
//!
//! | layer | what it does | where |
//! |---|---|---|
//! | [`RetryLayer`] | sends a request again, when that is safe | around a client |
//! | [`CircuitBreakerLayer`] | stops calling an upstream that is down, until it is back | around a client, inside retry |
//! | [`InFlightLimitLayer`] | refuses calls beyond a number that are under way | around a client, inside the breaker |
//! | [`BadGatewayClassifierLayer`] | works out why a response failed, who says so, and if the request was processed | innermost, around a client |
//! | [`TimeoutLayer`] | bounds the wait for a response | around a client, inside the breaker |
//! | [`BodyTimeoutLayer`] | bounds the wait for each frame of a body, and for the whole | around a client; in a server |
//! | [`DeadlineLayer`] | bounds all attempts together, by the caller's deadline too | around a client, outside retry |
//! | [`DeadlineHeaderLayer`] | tells the next hop how long it has | around a client, innermost |
//! | [`LoggingLayer`] | writes one line a request, with the cause | outermost, both sides |
//! | [`ErrorResponseLayer`] | turns any error into an honest 502, 503 or 504 | a server, around the rest |
//! | `RequestDurationLayer` (feature `metrics`) | measures how long requests take | outermost, both sides |
//!
//! Each works alone on a [`tower_service::Service`]; together they share one vocabulary, [`Failure`], so that they
//! agree on what happened.
//!
//! ```
//! # #[cfg(feature = "full")] {
//! use std::time::Duration;
//! use seawall::{
//!     BadGatewayClassifierLayer, CircuitBreakerLayer, LoggingLayer, RetryLayer, TimeoutLayer,
//! };
//! use tower::ServiceBuilder;
//! # use http::{Request, Response};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # let client = tower::service_fn(|_: Request<seawall::retry::ReplayBody<Body>>| async {
//! #     Ok::<_, seawall::BoxError>(Response::new(Body::default()))
//! # });
//!
//! let client = ServiceBuilder::new()
//!     .layer(LoggingLayer::client())
//!     .layer(RetryLayer::new())
//!     .layer(CircuitBreakerLayer::new())
//!     .layer(TimeoutLayer::new(Duration::from_secs(10)))
//!     .layer(BadGatewayClassifierLayer::new())
//!     .service(client);
//! # tower::ServiceExt::<Request<Body>>::oneshot(client, Request::default());
//! # }
//! ```
//!
//! # Features
//!
//! One per layer, all on by default: `retry`, `circuit-breaker`, `in-flight`, `timeout`, `body-timeout`, `deadline`,
//! `bad-gateway`, `logging`, `error-response`. Integrations, off by default:
//! `hyper`, `hyper-util`, `h2`, `reqwest-0_13` and `tonic-0_14` let the classifier look into the errors of those crates;
//! without them a refused connection is still recognised, but a closed one is not. `reqwest-0_13` also brings
//! `seawall::reqwest::Client`, a client as a service, and `tonic-0_14` `seawall::tonic::Client`, around a channel. `metrics` counts for a
//! recorder of the `metrics` crate: see `seawall::metrics`. `test-util` is for your tests: upstreams that fail as they are
//! told, in the test's process or on a socket: see `seawall::test_util`.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_docs)]

pub mod classify;
mod error;
pub mod failure;

#[cfg(feature = "retry")]
mod attempts;
#[cfg(feature = "retry")]
mod backoff;
#[cfg(any(feature = "circuit-breaker", feature = "in-flight", feature = "metrics"))]
mod body;
#[cfg(feature = "retry")]
mod budget;
#[cfg(any(feature = "retry", feature = "circuit-breaker", feature = "in-flight"))]
mod keys;
#[cfg(any(
    feature = "retry",
    feature = "circuit-breaker",
    feature = "logging",
    feature = "test-util"
))]
mod ratio;
#[cfg(any(feature = "logging", feature = "metrics"))]
mod semconv;
#[cfg(any(feature = "retry", feature = "timeout", feature = "body-timeout", feature = "deadline"))]
mod time_limit;

#[cfg(feature = "bad-gateway")]
pub mod bad_gateway;
#[cfg(feature = "body-timeout")]
pub mod body_timeout;
#[cfg(feature = "circuit-breaker")]
pub mod circuit_breaker;
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
#[cfg(feature = "metrics")]
pub mod request_duration;
#[cfg(feature = "reqwest-0_13")]
pub mod reqwest;
#[cfg(feature = "retry")]
pub mod retry;
#[cfg(feature = "standard")]
pub mod standard;
#[cfg(feature = "test-util")]
pub mod test_util;
#[cfg(feature = "timeout")]
pub mod timeout;
#[cfg(feature = "tonic-0_14")]
pub mod tonic;

pub use self::{
    classify::{Classify, GrpcClassifier, HttpClassifier, classify_fn},
    error::{BoxError, find_source},
    failure::{Cause, Failure, Processed, Product, Reporter},
};

#[cfg(any(
    feature = "retry",
    feature = "circuit-breaker",
    feature = "logging",
    feature = "test-util"
))]
pub use self::ratio::{NotARatio, Ratio};
#[cfg(any(feature = "retry", feature = "deadline"))]
pub use self::time_limit::Deadline;

#[cfg(feature = "bad-gateway")]
#[doc(no_inline)]
pub use self::bad_gateway::BadGatewayClassifierLayer;
#[cfg(feature = "body-timeout")]
#[doc(no_inline)]
pub use self::body_timeout::BodyTimeoutLayer;
#[cfg(feature = "circuit-breaker")]
#[doc(no_inline)]
pub use self::circuit_breaker::CircuitBreakerLayer;
#[cfg(feature = "deadline")]
#[doc(no_inline)]
pub use self::deadline::{DeadlineHeaderLayer, DeadlineLayer};
#[cfg(feature = "error-response")]
#[doc(no_inline)]
pub use self::error_response::ErrorResponseLayer;
#[cfg(feature = "in-flight")]
#[doc(no_inline)]
pub use self::in_flight::InFlightLimitLayer;
#[cfg(feature = "logging")]
#[doc(no_inline)]
pub use self::logging::LoggingLayer;
#[cfg(feature = "metrics")]
#[doc(no_inline)]
pub use self::request_duration::RequestDurationLayer;
#[cfg(feature = "retry")]
#[doc(no_inline)]
pub use self::retry::RetryLayer;
#[cfg(feature = "standard")]
#[doc(no_inline)]
pub use self::standard::StandardLayer;
#[cfg(feature = "config")]
pub use self::standard::config;
#[cfg(feature = "timeout")]
#[doc(no_inline)]
pub use self::timeout::TimeoutLayer;

/// The README's examples, compiled.
#[cfg(all(doctest, feature = "full", feature = "hyper-util"))]
#[doc = include_str!("../README.md")]
mod readme {}
