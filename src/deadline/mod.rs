//! Bounds the time of a whole call, all attempts and waits together, and hands what is left of it on.
//!
//! One moment is fixed when the service is called: the sooner of the layer's own limit, of a [`Deadline`](crate::Deadline) in the
//! request's extensions, and, if [trusted](DeadlineLayer::trust_header), of what the caller's header says. By then the response's head
//! is there, or the call fails with [`Elapsed`]; [`include_body`](DeadlineLayer::include_body) means the whole exchange.
//!
//! Not covered: time spent in `poll_ready`, before the call. What the inner service held ready for a call that comes too late
//! stays with it for the next one.
//!
//! # Example
//!
//! A gateway that keeps to the deadline of its callers, and tells the next hop how long it has:
//!
//! ```
//! use std::time::Duration;
//! use seawall::deadline::{DeadlineHeaderLayer, DeadlineLayer, TimeoutHeader};
//! use tower::ServiceBuilder;
//! # let client = tower::service_fn(async |_: http::Request<http_body_util::Full<bytes::Bytes>>| {
//! #     Ok::<_, seawall::BoxError>(http::Response::new(http_body_util::Full::<bytes::Bytes>::default()))
//! # });
//!
//! let service = ServiceBuilder::new()
//!     .layer(DeadlineLayer::new(Duration::from_secs(30)).trust_header(TimeoutHeader::Grpc))
//!     // RetryLayer, CircuitBreakerLayer, TimeoutLayer
//!     .layer(DeadlineHeaderLayer::new(TimeoutHeader::Grpc))
//!     .service(client);
//! # let _ = tower::ServiceExt::oneshot(service, http::Request::default());
//! ```
//!
//! # When what happens
//!
//! | when | then |
//! |---|---|
//! | the deadline has passed when the call is made | [`Elapsed`], the inner service is not called, [`Processed::No`](crate::Processed::No) |
//! | the response is there at the first poll | it is returned; no timer is made, and no runtime is needed |
//! | response and deadline come together | the response wins |
//! | the deadline passes first | the inner future is dropped at once, whatever it is at; [`Elapsed`], of cause `http_response_timeout`: 504 |
//! | the body has to be waited for beyond the deadline | nothing; with [`include_body`](DeadlineLayer::include_body) the body fails with [`Elapsed`] |
//! | a trusted header is not what it should be, or comes twice | it is [ignored and counted](DeadlineLayer::invalid_headers); the caller gets no error for it |
//! | a trusted header, or the extension, is later than the layer's own limit | the layer's own holds |
//!
//! # What inner layers know
//!
//! The deadline is put into the request's extensions, so that `RetryLayer` does not begin what cannot end in time, but returns
//! the last answer it has; and so that [`DeadlineHeaderLayer`] has something to tell. That costs three allocations in a request
//! that has no extensions yet; [`propagate(false)`](DeadlineLayer::propagate) leaves it out.
//!
//! # Several hops
//!
//! The one nearest the trouble knows most about it, so it should be the first to give up: its verdict then travels back
//! through the others, where their own timeouts would say less. That takes time, which each hop keeps for itself:
//! [`DeadlineHeaderLayer`] tells the next one less than is left, by its [`margin`](DeadlineHeaderLayer::margin). It stands innermost,
//! below `RetryLayer`, so that each attempt says what is left by then. Set `RetryLayer::min_attempt_time` to no less than the
//! margin: else a 504 that arrives in the margin is tried again, in vain, until the deadline takes its place.
//!
//! tonic's own channel keeps to a `grpc-timeout` that it sends, so with it the margin is cut from its call as well.
//!
//! # Cancel safety
//!
//! Dropping the future or the body drops the inner one and the timer; nothing else is held.
//!
//! # Order
//!
//! Outside of `RetryLayer` and `CircuitBreakerLayer`, inside of `LoggingLayer` and, in a server, of `ErrorResponseLayer`. In a
//! breaker a caller's short deadline would count as the upstream's failure.
//!
//! # Differs from
//!
//! - `TimeoutLayer` around a retry: inherits, hands on, and is known to the retry.
//! - tonic's `grpc-timeout`: capped by an own limit, read only if trusted, other headers too, handed on.

mod future;
mod header;
mod layer;
mod propagate;
mod service;
mod settings;

pub use self::{
    future::ResponseFuture,
    header::TimeoutHeader,
    layer::DeadlineLayer,
    propagate::{DeadlineHeader, DeadlineHeaderLayer},
    service::DeadlineService,
};
pub use crate::time_limit::TimeoutBody;
#[doc(inline)]
pub use seawall_core::elapsed::{Elapsed, TimeoutKind};
