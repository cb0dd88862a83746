//! Refuses calls beyond a number that are under way at once, so that an upstream which has become slow is not buried.
//!
//! When an upstream slows down, calls to it pile up: each waits longer, more of them wait, and in the end it works only on
//! requests that nobody waits for any more. A bound on how many are under way keeps it answering. What is beyond is refused
//! at once, and never queued: for a queue there is tower's `ConcurrencyLimit`.
//!
//! How many? With [`InFlightLimitLayer::new`] as many as you say: a little more than the upstream can work on at once. With
//! [`InFlightLimitLayer::adaptive`] as many as it turns out to answer without a queue; see [`AdaptiveLimit`].
//!
//! Works on any service, HTTP or not; where responses have no body, say [`until_response`](InFlightLimitLayer::until_response). Not
//! covered: how often calls begin, for which there is tower's `RateLimit`; who of several callers may go on, since all are equal.
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
//!     .service_fn(async |_: Request<Body>| Ok::<_, seawall::BoxError>(Response::new(Body::from("hello"))));
//!
//! let first = client.clone().oneshot(Request::new(Body::from("hi"))).await?;
//! // Nobody has read its body, so it is under way.
//! let error = client.clone().oneshot(Request::new(Body::from("hi"))).await.unwrap_err();
//! assert!(find_source::<LimitReached>(&*error).is_some());
//!
//! drop(first);
//! assert!(client.oneshot(Request::new(Body::from("hi"))).await.is_ok());
//! # Ok(())
//! # }
//! ```
//!
//! # When what happens
//!
//! | when | then |
//! |---|---|
//! | fewer calls than the limit are under way | the call passes, and is one of them until the body of its response ends |
//! | as many are | the call is refused with [`LimitReached`]; the inner service is not called |
//! | the caller drops the call or the body, or either fails | its place is free at once |
//! | there are more keys than are kept | calls of further keys pass, and have no limit |
//!
//! # Clone
//!
//! The places are those of the layer, shared by all its services and clones.
//!
//! # Cancel safety
//!
//! Dropping the future or the body gives the place back.
//!
//! # Order
//!
//! Inside [`CircuitBreakerLayer`](crate::circuit_breaker::CircuitBreakerLayer), which does not count a rejected call; inside
//! [`RetryLayer`](crate::retry::RetryLayer), which does not retry a rejected call, unless so configured.
//!
//! On a route of axum, inside [`ErrorResponseLayer`](crate::error_response::ErrorResponseLayer), it answers 503 where too many ask at once. Around a
//! connector [`until_response`](InFlightLimitLayer::until_response) makes it a limit of connections that are being made.
//!
//! # Differs from
//!
//! - `tower::limit::ConcurrencyLimit`: refuses in place of making callers wait, and holds the place to the end of the
//!   response's body, not only to its head.

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

pub(crate) use self::selector::LimitPerKey;
pub use self::{
    adaptive::AdaptiveLimit, error::LimitReached, future::ResponseFuture,
    layer::InFlightLimitLayer, service::InFlightLimit,
};
pub use crate::keys::by_authority;

/// Response body of [`InFlightLimit`]: the inner body as it is, which holds the call's place until it ends.
pub type ResponseBody<B> = crate::body::ObservedBody<B, limit::Permit>;
