//! Limits the time until an inner service returns a response.
//!
//! The timer starts when the first poll of the response future returns `Pending`. It stops when
//! that future resolves. For an HTTP client, that is when the head of the response arrives. When
//! the limit passes, the inner future is dropped and the caller gets [`Elapsed`]. Spawn work that
//! must not be canceled.
//!
//! The layer works with any service, HTTP or not. Not covered:
//!
//! - the time in `poll_ready`
//! - the time in which the caller's request body is pending, with
//!   [`pause_while_body_pending`](TimeoutLayer::pause_while_body_pending)
//! - the body of a response: use `BodyTimeoutLayer`
//! - all attempts together: use `DeadlineLayer`
//! - a [`Deadline`](crate::Deadline) in a request, because the layer does not know the request
//!   type. To enforce it, put `DeadlineLayer` outside this layer.
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
//! # Behavior
//!
//! | event | result |
//! |---|---|
//! | the response is ready at the first poll | it is returned; no timer is created and no runtime is needed |
//! | the response is ready when the limit passes | the response is returned |
//! | the limit passes first | the inner future is dropped at once; the error is [`Elapsed`] with the cause `http_response_timeout` |
//! | the closure of [`TimeoutLayer::from_fn`] returns `None` | the call has no limit |
//! | the caller's request body is pending | the clock runs; with [`pause_while_body_pending`](TimeoutLayer::pause_while_body_pending), it stops |
//! | one such wait reaches the limit, with that setting | the inner future is dropped; the error is [`Elapsed`] with the cause `request_timeout` |
//! | the inner future fails | its error is returned, boxed |
//! | the inner future spends tokio's cooperative budget on every poll | the limit still applies |
//!
//! # Cancel safety
//!
//! Dropping the future drops the inner future and the timer. It holds nothing else.
//!
//! # Order
//!
//! Inside [`RetryLayer`](crate::retry::RetryLayer), each attempt has the full limit. Outside it,
//! all attempts and the delays between them share the limit. Inside, around an HTTP client, use
//! [`pause_while_body_pending`](TimeoutLayer::pause_while_body_pending), or a slow upload counts as
//! a timeout of the upstream. The standard stack does.
//!
//! Around the connector of a hyper-util client, or in reqwest's `connector_layer`, this layer is a
//! connect timeout. The cause of its error is
//! [`ConnectionTimeout`](crate::Cause::ConnectionTimeout), which proves that nothing was sent.
//! Unlike hyper-util's own connect timeout, it covers the TLS handshake.
//!
//! # Differs from
//!
//! - `tower::timeout`: in this layer, an inner future that spends the cooperative budget cannot
//!   starve the timer, and a response that is ready at once needs no timer.
//! - `tower_http::timeout`: this layer returns an error, not a response, so that the retry layer
//!   can handle it. A ready response always wins over the timer.
//!
//! [`Elapsed`]: crate::Elapsed

mod future;
mod layer;
mod service;
mod timeout_source;

pub use self::{
    future::ResponseFuture,
    layer::TimeoutLayer,
    service::Timeout,
    timeout_source::{FixedTimeout, PauseWhileBodyPending, TimeoutFn, TimeoutSource},
};
