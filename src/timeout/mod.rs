//! Bounds how long an inner service may take to produce a response.
//!
//! The clock starts when the first poll of the call is pending and stops when its future resolves: with a client, when the head
//! of the response is there. When the limit passes, the inner future is dropped and the caller gets [`Elapsed`], so
//! work that must not be cancelled has to be spawned.
//!
//! Works on any service, HTTP or not. Not covered: time spent in `poll_ready`; the body of a response, which is
//! `BodyTimeoutLayer`'s; all attempts together, which are `DeadlineLayer`'s. A [`Deadline`](crate::Deadline) in a request is
//! not looked at, since requests of any kind pass here; `DeadlineLayer` around this one ends what is under way when it passes.
//!
//! # Example
//!
//! ```
//! # async fn handle(_: ()) -> Result<&'static str, seawall::BoxError> { Ok("hi") }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! use std::time::Duration;
//! use seawall::timeout::TimeoutLayer;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! let svc = ServiceBuilder::new()
//!     .layer(TimeoutLayer::new(Duration::from_secs(5)))
//!     .service_fn(handle);
//! assert_eq!(svc.oneshot(()).await?, "hi");
//! # Ok(())
//! # }
//! ```
//!
//! # When what happens
//!
//! | when | then |
//! |---|---|
//! | the response is ready at the first poll | it is returned; no timer is made, and no runtime is needed |
//! | response and limit come together | the response wins |
//! | the limit passes first | the inner future is dropped at once; [`Elapsed`], of cause `http_response_timeout` |
//! | [`TimeoutLayer::from_fn`]'s closure says `None` | no limit for this call |
//! | the inner future fails | its error is returned as it is, boxed |
//! | the inner future spends tokio's whole cooperative budget | the limit still holds |
//!
//! # Cancel safety
//!
//! Dropping the future drops the inner future and the timer; nothing else is held.
//!
//! # Order
//!
//! Inside [`RetryLayer`](crate::retry::RetryLayer), so that each attempt has the whole limit; around it, the limit is shared
//! by all attempts and the waits between them.
//!
//! Around the connector of a client (hyper-util's, or by reqwest's `connector_layer`) it is a connect timeout,
//! [`ConnectionTimeout`](crate::Cause::ConnectionTimeout), which proves that nothing was sent. Unlike hyper-util's own it covers
//! the handshake of TLS.
//!
//! # Differs from
//!
//! - `tower::timeout`: an inner future that spends the cooperative budget cannot starve the timer, and a response that
//!   is ready at once costs no timer.
//! - `tower_http::timeout`: an error and not a response, so that retry can act on it; a response that is ready never
//!   loses to the timer.

mod future;
mod layer;
mod service;
mod timeout_source;

pub use self::{
    future::ResponseFuture,
    layer::TimeoutLayer,
    service::Timeout,
    timeout_source::{FixedTimeout, TimeoutFn, TimeoutSource},
};
#[doc(inline)]
pub use seawall_core::elapsed::{Elapsed, TimeoutKind};
