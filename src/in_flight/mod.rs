//! Limits the calls in flight, so that an upstream that has become slow is not overloaded.
//!
//! When an upstream slows down, calls to it accumulate. In the end it works only on requests whose
//! callers have given up. A limit of the calls in flight keeps it responsive. Calls beyond the
//! limit are rejected at once and never queued. To queue calls, use tower's `ConcurrencyLimit`.
//!
//! [`InFlightLimitLayer::new`] sets a fixed limit: choose a little more than the upstream can
//! process concurrently. [`InFlightLimitLayer::adaptive`] finds the limit by the latency of
//! responses: see [`AdaptiveLimit`].
//!
//! The layer works on any service, HTTP or not. If responses have no body, use
//! [`until_response`](InFlightLimitLayer::until_response). It does not limit the rate of calls, as
//! tower's `RateLimit` does, and all callers have the same priority.
//!
//! # Example
//!
//! ```
//! # use http::{Request, Response};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! use std::num::NonZeroU32;
//! use seawall::{find_source, in_flight::{InFlightLimitLayer, LimitReached}};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! let client = ServiceBuilder::new()
//!     .layer(InFlightLimitLayer::new(NonZeroU32::MIN))
//!     .service_fn(async |_: Request<Body>| {
//!         Ok::<_, seawall::BoxError>(Response::new(Body::from("hello")))
//!     });
//!
//! let first = client.clone().oneshot(Request::new(Body::from("hi"))).await?;
//! // Its body has not been read, so the call is still in flight.
//! let error = client.clone().oneshot(Request::new(Body::from("hi"))).await.unwrap_err();
//! assert!(find_source::<LimitReached>(&*error).is_some());
//!
//! drop(first);
//! assert!(client.oneshot(Request::new(Body::from("hi"))).await.is_ok());
//! # Ok(())
//! # }
//! ```
//!
//! # Behavior
//!
//! | event | effect |
//! |---|---|
//! | fewer calls than the limit are in flight | the call passes, and is in flight until its response body ends |
//! | the limit is reached | the call is rejected with [`LimitReached`]; the inner service is not called |
//! | the caller drops the call or the body, or one of them fails | the permit is released at once |
//! | the limit is reached, and a caller has not read its response for [`unread_timeout`](InFlightLimitLayer::unread_timeout), 60 s by default | its permit is released, at the latest after twice that time; its call continues, and does not count any more |
//! | there are more keys than the maximum | calls with further keys pass, and have no limit |
//!
//! # Observability
//!
//! Rejections are summarized in one `tracing` event at WARN per limit: the first at once, and then
//! at most once per minute, when a call is rejected or ends. It is named `in_flight` and has the
//! fields `key`, `limit` and `rejected`, the number of calls since the previous event.
//!
//! # Clone
//!
//! The permits belong to the layer. All its services and clones share them.
//!
//! # Cancel safety
//!
//! Dropping the future or the body releases the permit.
//!
//! # Order
//!
//! Inside [`CircuitBreakerLayer`](crate::circuit_breaker::CircuitBreakerLayer), which does not
//! count a rejected call. Inside [`RetryLayer`](crate::retry::RetryLayer), which does not retry a
//! rejected call unless configured to.
//!
//! On an axum route, inside [`ErrorResponseLayer`](crate::error_response::ErrorResponseLayer), it
//! responds with 503 if too many requests are in flight. Around a connector, with
//! [`until_response`](InFlightLimitLayer::until_response), it limits the connections that are being
//! established.
//!
//! # Differences from other crates
//!
//! - `tower::limit::ConcurrencyLimit` makes callers wait, and releases its permit when the response
//!   head arrives. This layer rejects calls, and holds the permit until the response body ends.

mod adaptive;
mod error;
mod future;
mod layer;
mod limit;
#[cfg(all(test, seawall_loom))]
#[path = "../../tests/loom/in_flight.rs"]
mod loom;
mod selector;
mod service;
mod unread;

pub use self::{
    adaptive::AdaptiveLimit,
    error::LimitReached,
    future::ResponseFuture,
    layer::InFlightLimitLayer,
    selector::{LimitPerKey, SharedLimit},
    service::InFlightLimit,
};

/// Response body of [`InFlightLimit`]. It forwards the inner body and holds the permit of the call
/// until the body ends.
pub type ResponseBody<B> = crate::body::ObservedBody<B, limit::Permit>;
