//! Limits the time of a request or response body: the wait for each frame, and the total.
//!
//! [`BodyTimeoutLayer::new`] is for response bodies, around a client. It detects an upstream that
//! sends a head and then stalls. [`BodyTimeoutLayer::for_requests`] is for request bodies, in a
//! server. A caller that sends one byte per minute gets a 408 and does not hold a connection
//! forever.
//!
//! The time of `idle` counts only while the reader waits for a frame, so a slow reader does not
//! cause a timeout. Not covered: a body that is never read, and the wait for the head (see
//! [`TimeoutLayer`](crate::timeout::TimeoutLayer)).
//!
//! # Example
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! use std::time::Duration;
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use seawall::body_timeout::BodyTimeoutLayer;
//! use tower::{ServiceBuilder, ServiceExt};
//! # async fn answer(_: Request<Full<bytes::Bytes>>) -> Result<Response<Full<bytes::Bytes>>, seawall::BoxError> {
//! #     Ok(Response::new(Full::from("hi")))
//! # }
//!
//! let client = ServiceBuilder::new()
//!     .layer(BodyTimeoutLayer::new().idle(Duration::from_secs(10)).total(Duration::from_secs(300)))
//!     .service_fn(answer);
//! let response = client.oneshot(Request::new(Full::default())).await?;
//! assert_eq!(response.into_body().collect().await?.to_bytes(), "hi");
//! # Ok(())
//! # }
//! ```
//!
//! # Behavior
//!
//! | event | result |
//! |---|---|
//! | a frame is ready | it passes unchanged; no timer is created and no runtime is needed |
//! | a frame is ready when a limit passes | the frame passes |
//! | no frame arrives within `idle` while the reader waits for one | the inner body is dropped at once; the error is [`Elapsed`] |
//! | `total` passes | the same, the next time the reader must wait for a frame |
//! | the inner body spends tokio's cooperative budget on every poll | the limits still apply |
//! | both limits are [`Duration::MAX`](std::time::Duration::MAX) | the body is not limited |
//!
//! # Responses to slow requests
//!
//! The service gets an error from the request body: [`Elapsed`] with the kind
//! [`RequestIdle`](crate::TimeoutKind::RequestIdle) or
//! [`RequestTotal`](crate::TimeoutKind::RequestTotal), and the cause
//! [`RequestTimeout`](crate::Cause::RequestTimeout).
//!
//! If the service fails with this error, or with an error that has it as a source,
//! `ErrorResponseLayer` responds with 408 (RFC 9110 §15.5.9). The client of hyper fails with such
//! an error if it forwards the body over HTTP/1.1. Over HTTP/2, it resets the stream without the
//! cause, and the response is 400. A response of the service itself is not changed: axum's
//! extractors respond with 400. A circuit breaker counts none of these as failures.
//!
//! # Cancel safety
//!
//! Dropping the future or the body drops the inner one and the timer. It holds nothing else.
//!
//! # Order
//!
//! For responses: anywhere around the client. Outside `RetryLayer`, it wraps the body once per call
//! instead of once per attempt. Inside `CircuitBreakerLayer` with `until_body_end`, a stall counts
//! as a failure. For requests: inside `ErrorResponseLayer`.
//!
//! # Differs from
//!
//! - `tower_http::timeout`: this layer has `idle` and `total` in one layer. A ready frame always
//!   wins over the timer. A body that is ready at once needs no timer. A body that spends the
//!   cooperative budget cannot starve the timer. [`TimeoutKind`] identifies the limit that passed.
//!
//! [`Elapsed`]: crate::Elapsed
//! [`TimeoutKind`]: crate::TimeoutKind

mod future;
mod layer;
mod service;
mod settings;

pub use self::{
    future::ResponseFuture,
    layer::BodyTimeoutLayer,
    service::BodyTimeout,
    settings::{RequestDirection, ResponseDirection},
};
