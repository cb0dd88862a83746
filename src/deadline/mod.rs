//! Limits the time of a whole call, including all attempts and waits, and passes the remaining time
//! on.
//!
//! The deadline is fixed when the service is called. It is the soonest of these:
//!
//! - The layer's own limit.
//! - A [`Deadline`](crate::Deadline) in the request's extensions.
//! - The timeout in the caller's header, if the header is [trusted](DeadlineLayer::trust_header).
//!
//! If the head of the response has not arrived by then, the call fails with [`Elapsed`]. With
//! [`include_body`](DeadlineLayer::include_body), the deadline covers the whole exchange.
//!
//! The time in `poll_ready`, before the call, is not limited. If the deadline has passed before the
//! call, a permit that the inner service acquired in `poll_ready` is kept for its next call.
//!
//! # Example
//!
//! A gateway that enforces the deadline of its callers and sends the remaining time to the next
//! hop:
//!
//! ```
//! use std::time::Duration;
//! use seawall::deadline::{DeadlineHeaderLayer, DeadlineLayer, TimeoutHeader};
//! use tower::ServiceBuilder;
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # let client = tower::service_fn(async |_: http::Request<Body>| {
//! #     Ok::<_, seawall::BoxError>(http::Response::new(Body::default()))
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
//! # Behavior
//!
//! | condition | behavior |
//! |---|---|
//! | the deadline has passed when the call is made | [`Elapsed`] with [`Processed::No`](crate::Processed::No); the inner service is not called |
//! | the response is ready at the first poll | it is returned; no timer is created, and no runtime is needed |
//! | response and deadline are ready at the same time | the response is returned |
//! | the deadline passes first | the inner future is dropped at once, in any state; [`Elapsed`] with the cause `http_response_timeout`: 504 |
//! | the body is still pending at the deadline | no effect; with [`include_body`](DeadlineLayer::include_body) the body fails with [`Elapsed`] |
//! | a trusted header is invalid or repeated | it is [ignored and counted](DeadlineLayer::invalid_headers); the caller gets no error |
//! | a trusted header or the extension is later than the layer's own limit | the layer's own limit applies |
//!
//! # Propagation to inner layers
//!
//! The deadline is inserted into the request's extensions. `RetryLayer` then starts no attempt that
//! cannot end in time, and returns the last response instead. [`DeadlineHeaderLayer`] computes its
//! header from the deadline. The insertion costs three allocations for a request without
//! extensions. [`propagate(false)`](DeadlineLayer::propagate) disables it.
//!
//! # Several hops
//!
//! The hop nearest to the failure has the most information, so it should time out first. Its result
//! then travels back through the other hops, whose own timeouts would be less specific. Each hop
//! reserves some time for that: [`DeadlineHeaderLayer`] sends less than the remaining time, by its
//! [`margin`](DeadlineHeaderLayer::margin).
//!
//! Place [`DeadlineHeaderLayer`] innermost, below `RetryLayer`, so that each attempt sends the time
//! left at that moment. Set `RetryLayer::min_attempt_time` to at least the margin. Otherwise a 504
//! that arrives within the margin is retried without effect until the deadline passes.
//!
//! tonic's own channel also enforces a `grpc-timeout` that it sends. With tonic the margin
//! therefore shortens the call itself too.
//!
//! # Cancel safety
//!
//! Dropping the future or the body drops the inner one and the timer. They hold nothing else.
//!
//! # Order
//!
//! Place it outside `RetryLayer` and `CircuitBreakerLayer`, inside `LoggingLayer` and, in a server,
//! inside `ErrorResponseLayer`. Inside a breaker, a caller's short deadline would count as a
//! failure of the upstream.
//!
//! # Differs from
//!
//! - `TimeoutLayer` around a retry: this layer inherits the caller's deadline, passes it on, and
//!   makes it visible to the retry.
//! - tonic's `grpc-timeout`: this layer caps it with its own limit, reads it only if trusted,
//!   supports another header, and passes it on.
//!
//! [`Elapsed`]: crate::Elapsed

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
