//! Bounds how long the body of a message may take: the wait for each frame of it, and the whole.
//!
//! [`BodyTimeoutLayer::new`] is for the bodies of responses, around a client: an upstream that sends a head and then stalls
//! fails in time. [`BodyTimeoutLayer::for_requests`] is for the bodies of requests, in a server: a caller that sends one
//! byte a minute does not hold a connection for ever, and is answered 408.
//!
//! The clock of `idle` runs only while a frame is waited for, so a reader that takes its time is not held against the
//! sender. Not covered: the wait for the head, which is [`TimeoutLayer`](crate::timeout::TimeoutLayer)'s; a body that nobody reads.
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
//! # When what happens
//!
//! | when | then |
//! |---|---|
//! | a frame is there | it passes as it is; no timer is made, and no runtime is needed |
//! | frame and limit come together | the frame wins |
//! | nothing comes for the time of `idle` while a frame is waited for | the inner body is dropped at once; [`Elapsed`] |
//! | the time of `total` passes | the same, the next time that a frame has to be waited for |
//! | the inner body spends tokio's whole cooperative budget | the limits still hold |
//! | both are [`Duration::MAX`](std::time::Duration::MAX) | nothing, ever |
//!
//! # How a slow request is answered
//!
//! The service sees an error in the request's body: [`Elapsed`] of phase [`RequestIdle`](TimeoutKind::RequestIdle) or
//! [`RequestTotal`](TimeoutKind::RequestTotal), of cause [`RequestTimeout`](crate::Cause::RequestTimeout). If it fails with that, or
//! with an error that has it as a source, `ErrorResponseLayer` answers 408 (RFC 9110 §15.5.9). hyper's client fails so when it
//! was sending that body on by HTTP/1.1; by HTTP/2 it resets the stream and does not say why, which is answered 400. A
//! service that answers by itself is left alone: axum's extractors answer 400. None of these counts in a breaker.
//!
//! # Cancel safety
//!
//! Dropping the future or the body drops the inner one and the timer; nothing else is held.
//!
//! # Order
//!
//! For responses: anywhere around the client; outside of `RetryLayer` it is made once a call and not once an attempt, inside
//! of `CircuitBreakerLayer` with `until_body_end` a stall counts as a failure. For requests: inside of `ErrorResponseLayer`.
//!
//! # Differs from
//!
//! - `tower_http::timeout`: `idle` and `total` in one layer; a frame that is there never loses to the timer; a body that is
//!   there costs no timer; a body that spends the cooperative budget cannot starve it; what passed is told by [`TimeoutKind`].

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
pub use crate::time_limit::TimeoutBody;
#[doc(inline)]
pub use seawall_core::elapsed::{Elapsed, TimeoutKind};
