//! Sends a request again when it failed in a way that another try may mend, and when that is safe.
//!
//! By default: up to 4 retries of idempotent methods, for connection failures, timeouts and the statuses 429, 500, 502,
//! 503 and 504, with exponential backoff from 100 ms and full jitter; `Retry-After` is respected; all calls together have
//! no more retries than a fifth of their number, or 3 in ten seconds if that is more, so that a call which is all alone has 3.
//!
//! Not covered: redirects; a response whose body breaks off after a good head, since by then the response is the
//! caller's.
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
//! [`map_body`](RetryLayer::map_body).
//!
//! # When a request is sent again
//!
//! Only if all of these hold; the first that does not is the [`StopReason`]:
//!
//! | what must hold | else |
//! |---|---|
//! | the server did not say no (`x-should-retry: false`, gRPC pushback) | [`ServerForbids`](StopReason::ServerForbids) |
//! | the failure is one that another try may mend (below), or the server said yes | [`NotRetryable`](StopReason::NotRetryable), [`CircuitOpen`](StopReason::CircuitOpen), [`LimitReached`](StopReason::LimitReached) |
//! | the method is allowed, or the request has an `Idempotency-Key`, or it was provably not processed ([`Processed::No`](crate::Processed::No)) | [`MethodNotAllowed`](StopReason::MethodNotAllowed) |
//! | retries are left: in all, and of the failure's kind | [`MaxRetries`](StopReason::MaxRetries), [`MaxConnectRetries`](StopReason::MaxConnectRetries), … |
//! | the wait, and all waits of this call together, are within their limits | [`WaitTooLong`](StopReason::WaitTooLong) |
//! | the wait ends before the request's [`Deadline`](crate::Deadline) | [`DeadlineTooNear`](StopReason::DeadlineTooNear) |
//! | the body can be sent again | [`NotReplayable`](StopReason::NotReplayable) |
//! | the [`Budget`] of all calls together has a retry left | [`BudgetExhausted`](StopReason::BudgetExhausted) |
//! | the inner service becomes ready again | [`NotReady`](StopReason::NotReady) |
//! | and does so while there is time for another attempt | [`DeadlineTooNear`](StopReason::DeadlineTooNear) |
//!
//! One retry is free: a request that the client provably never wrote to a connection that was there before (hyper's
//! "canceled") is sent again at once, whatever its method, and neither counted nor charged; once a call, if the deadline
//! allows it, and unless [`max_retries`](RetryLayer::max_retries) is 0. With hyper-util's client that takes
//! `seawall::hyper_util::TrackReuse`, which knows whether a connection was used before; the client itself repeats such a
//! request on another connection, unless told not to. One that was never written to a *fresh* connection is retried like
//! any other that was not processed: an upstream that closes what it accepts is down.
//!
//! A failure that came as a status of 400 or more may be mended if that status is in the
//! [forcelist](RetryLayer::retry_statuses). Any other is judged by its [`Cause`](crate::Cause): failures of the
//! connection, the name lookup and the TLS protocol, timeouts, an incomplete or malformed response, rate limits and
//! overload, but not a wrong certificate, a faulty request, a loop, or our own refusals.
//!
//! 408 and 409 are not in the forcelist: 408 says that the request did not arrive in time, and trying again in the same
//! way rarely helps; 409 says that repeating it as it is cannot succeed. LLM APIs use both for "try again": see below.
//!
//! # What comes out
//!
//! The last response, or the last error. After more than one attempt, or when the budget allows no other, an error is inside [`RetriesExhausted`], with the head of the
//! last response if there was one; what is classified is then the whole call, so that it is
//! [not processed](crate::Processed::No) only if no attempt was. A response that took more than one attempt, or that failed, carries [`RetryReport`] in its
//! extensions.
//!
//! # Settings for some clients
//!
//! What the SDKs of OpenAI and Anthropic do; their headers `retry-after-ms` and `x-should-retry` are always respected:
//!
//! ```
//! use std::time::Duration;
//! use seawall::{RetryLayer, retry::{Backoff, Budget}};
//!
//! let layer = RetryLayer::new()
//!     .max_retries(2)
//!     .retry_all_methods()
//!     .retry_statuses([408, 409, 429].into_iter().chain(500..600))
//!     .backoff(Backoff::exponential(Duration::from_millis(500)).max(Duration::from_secs(8)))
//!     .budget(Budget::none());
//! # let _ = layer;
//! ```
//!
//! What urllib3's `Retry(total=3, status_forcelist=[502, 503, 504], backoff_factor=1)` does, to the letter; 400 recorded
//! runs of the real one agree:
//!
//! ```
//! use std::time::Duration;
//! use seawall::{RetryLayer, retry::{Backoff, Budget}};
//!
//! let layer = RetryLayer::new()
//!     .max_retries(3)
//!     .retry_statuses([502, 503, 504])
//!     .backoff(Backoff::urllib3(1.0)?)
//!     .retry_statuses_with_retry_after([413, 429, 503])
//!     .max_retry_after(Duration::from_secs(21_600))
//!     .clamp_retry_after(true)
//!     .retry_after_jitter(false)
//!     .max_total_delay(Duration::MAX)
//!     .error_on_exhausted_status(true)
//!     .budget(Budget::none());
//! # Ok::<(), seawall::retry::InvalidBackoffFactor>(())
//! ```
//!
//! # Bodies
//!
//! The request's body is kept while it is sent, up to [`max_replay_bytes`](RetryLayer::max_replay_bytes) bytes, so that every
//! attempt sends the same ones; nothing is read ahead of the first attempt, and `Bytes` are shared, not copied. An
//! empty body costs nothing. A body that announces more than the limit is not kept and not retried.
//!
//! # Cancel safety
//!
//! Dropping the future drops the attempt in flight, the wait and the kept body. Nothing runs on.
//!
//! # Clone
//!
//! The budget is made with the layer and shared by all its services and clones. The inner service must be `Clone`: the instance that was ready makes the first attempt, a clone the later ones,
//! each after polling it ready.
//!
//! # Order
//!
//! Around [`TimeoutLayer`](crate::TimeoutLayer), so that each attempt has its own limit; inside
//! [`LoggingLayer`](crate::LoggingLayer), so that a call is one line. Use one retry layer at one place only: three hops
//! of five attempts each make 125.
//!
//! What follows redirects, such as tower-http's `FollowRedirectLayer`, stands around it: each hop is then a call of its own. Inside, a
//! connection that is refused after a redirect would prove, wrongly, that a POST was not sent. What gives a call an id stands
//! around it too, so that all attempts have the same. `tower::limit` and `tower::buffer` may stand inside, for attempts, or
//! around, for calls; one inside is not held through the waits between attempts.
//!
//! # Differs from
//!
//! - `tower::retry`: comes with a policy; request bodies need not be `Clone`; jitter that differs from call to call.
//! - reqwest's own retries: waits between attempts, reads `Retry-After`, and knows which failures are safe to repeat.

mod call_adapter;
mod decision;
mod drain;
mod event;
mod future;
mod http_calls;
mod layer;
mod limits;
mod policy;
mod replay;
mod replay_buffer;
mod request_facts;
mod request_override;
mod service;
mod settings;
#[cfg(feature = "standard")]
mod stack;
mod state;

pub(crate) use self::http_calls::MapBody;
#[cfg(feature = "standard")]
pub(crate) use self::settings::TimeLimits;
pub use self::{
    call_adapter::{CallAdapter, ClonedCallAdapter},
    event::RetryEvent,
    future::ResponseFuture,
    http_calls::{HttpCallAdapter, IdentityBody, MappedBody},
    layer::RetryLayer,
    replay::ReplayBody,
    request_override::RetryOverride,
    service::Retry,
};
pub use crate::{
    backoff::{Backoff, InvalidBackoffFactor},
    budget::Budget,
    keys::by_authority,
};
#[doc(inline)]
pub use seawall_core::attempts::{
    AttemptNumber, FailedAttempt, RetriesExhausted, RetryReport, StopReason,
};
