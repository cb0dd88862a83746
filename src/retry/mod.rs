//! Sends a request again when it failed in a way that another try may mend, and when that is safe.
//!
//! By default: up to 3 retries of idempotent methods, for connection failures, timeouts and the statuses 429, 500, 502,
//! 503 and 504, with exponential backoff from 100 ms and full jitter; `Retry-After` is respected.
//!
//! Not covered: redirects; a response whose body breaks off after a good head, since by then the response is the
//! caller's; a common limit on the retries of many calls (put a concurrency limit around the client meanwhile).
//!
//! # Example
//!
//! ```
//! # use http::{Request, Response};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! use std::sync::atomic::{AtomicU32, Ordering};
//! use seawall::{RetryLayer, retry::ReplayBody};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! static SENT: AtomicU32 = AtomicU32::new(0);
//!
//! let client = ServiceBuilder::new()
//!     .layer(RetryLayer::new())
//!     .service_fn(async |_: Request<ReplayBody<Body>>| {
//!         let mut response = Response::new(());
//!         if SENT.fetch_add(1, Ordering::Relaxed) == 0 {
//!             *response.status_mut() = http::StatusCode::BAD_GATEWAY;
//!         }
//!         Ok::<_, std::convert::Infallible>(response.map(|()| Body::default()))
//!     });
//!
//! let response = client.oneshot(Request::get("http://upstream/").body(Body::default())?).await?;
//! assert_eq!(response.status(), 200);
//! assert_eq!(SENT.load(Ordering::Relaxed), 2);
//! # Ok(())
//! # }
//! ```
//!
//! The inner client receives `Request<`[`ReplayBody`]`<B>>`: build it for that body type, or convert with
//! [`send_as`](RetryLayer::send_as).
//!
//! # When a request is sent again
//!
//! Only if all of these hold; the first that does not is the [`Stop`]:
//!
//! | what must hold | else |
//! |---|---|
//! | the server did not say no (`x-should-retry: false`, gRPC pushback) | [`ServerSaysNo`](Stop::ServerSaysNo) |
//! | the failure is one that another try may mend (below), or the server said yes | [`NotRetryable`](Stop::NotRetryable) |
//! | the method is allowed, or the request has an `Idempotency-Key`, or it was provably not processed ([`Processed::No`](crate::Processed::No)) | [`MethodNotAllowed`](Stop::MethodNotAllowed) |
//! | retries are left | [`TotalSpent`](Stop::TotalSpent) |
//! | the wait, and all waits of this call together, are within their limits | [`WaitTooLong`](Stop::WaitTooLong) |
//! | the body can be sent again | [`NotReplayable`](Stop::NotReplayable) |
//! | the inner service becomes ready again | [`NotReady`](Stop::NotReady) |
//!
//! A failure that came as a status of 400 or more may be mended if that status is in the
//! [forcelist](RetryLayer::status_forcelist). Any other is judged by its [`Cause`](crate::Cause): failures of the
//! connection, the name lookup and the TLS protocol, timeouts, an incomplete or malformed response, rate limits and
//! overload, but not a wrong certificate, a faulty request, a loop, or our own refusals.
//!
//! # What comes out
//!
//! The last response, or the last error. After more than one attempt an error is inside [`GaveUp`]. A response that
//! took more than one attempt, or that failed, carries [`Attempts`] in its extensions.
//!
//! # Bodies
//!
//! The request's body is kept while it is sent, up to [`body_limit`](RetryLayer::body_limit) bytes, so that every
//! attempt sends the same ones; nothing is read ahead of the first attempt, and `Bytes` are shared, not copied. An
//! empty body costs nothing. A body that announces more than the limit is not kept and not retried.
//!
//! # Cancel safety
//!
//! Dropping the future drops the attempt in flight, the wait and the kept body. Nothing runs on.
//!
//! # Clone
//!
//! The inner service must be `Clone`: the instance that was ready makes the first attempt, a clone the later ones,
//! each after polling it ready.
//!
//! # Order
//!
//! Around [`TimeoutLayer`](crate::TimeoutLayer), so that each attempt has its own limit; inside
//! [`LoggingLayer`](crate::LoggingLayer), so that a call is one line. Use one retry layer at one place only: three hops
//! of four attempts each make 64.
//!
//! # Differs from
//!
//! - `tower::retry`: comes with a policy; request bodies need not be `Clone`; jitter that differs from call to call.
//! - reqwest's own retries: waits between attempts, reads `Retry-After`, and knows which failures are safe to repeat.

mod counters;
mod drain;
mod future;
mod hook;
mod http;
mod judge;
mod layer;
mod overriding;
mod policy;
mod protocol;
mod replay;
mod service;
mod shared;

pub use self::{
    future::ResponseFuture,
    hook::Retrying,
    http::{AsIs, Http, SendAs},
    layer::RetryLayer,
    overriding::Override,
    protocol::{Cloned, Protocol},
    replay::ReplayBody,
    service::Retry,
};
pub use crate::{
    attempts::{Attempt, Attempts, GaveUp, Past, Stop},
    backoff::{Backoff, NotAFactor},
    budget::Budget,
};
