//! Retries requests that failed in a transient way, when a retry is safe.
//!
//! Defaults:
//!
//! - Up to 4 retries of idempotent methods, after connection failures, timeouts and the statuses
//!   429, 500, 502, 503 and 504.
//! - Exponential backoff from 100 ms with full jitter. The first retry has no delay while
//!   [failures are isolated](Backoff::immediate_first_retry). `Retry-After` is respected.
//! - A [budget](Budget) for all calls together: retries are at most 20 % of the calls, or 3 in
//!   10 seconds if that is more. A single call can therefore use 3.
//!
//! Not covered: redirects, and a response whose body fails after a successful head. The caller
//! already has that response.
//!
//! # Example
//!
//! ```
//! # use http::{Request, Response};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! use std::sync::atomic::{AtomicU32, Ordering};
//! use seawall::retry::{ReplayBody, RetryLayer};
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
//! The inner client receives `Request<`[`ReplayBody`]`<B>>`. Build it for that body type, or
//! convert the body with [`map_body`](RetryLayer::map_body).
//!
//! # When a request is sent again
//!
//! A request is retried only if all of these conditions hold. The first that does not is the
//! [`StopReason`]:
//!
//! | condition | otherwise |
//! |---|---|
//! | the server does not forbid a retry (`x-should-retry: false`, gRPC pushback) | [`ServerForbids`](StopReason::ServerForbids) |
//! | the failure is retryable (below), or the server requests a retry | [`NotRetryable`](StopReason::NotRetryable), [`CircuitOpen`](StopReason::CircuitOpen), [`LimitReached`](StopReason::LimitReached) |
//! | the method is allowed, the request has an `Idempotency-Key`, or it was provably not processed ([`Processed::No`](crate::Processed::No)) | [`MethodNotAllowed`](StopReason::MethodNotAllowed) |
//! | retries are left, in total and for the kind of failure | [`MaxRetries`](StopReason::MaxRetries), [`MaxConnectRetries`](StopReason::MaxConnectRetries), … |
//! | the delay, and the sum of all delays of the call, are within their limits | [`WaitTooLong`](StopReason::WaitTooLong) |
//! | the delay ends before the request's [`Deadline`](crate::Deadline) | [`DeadlineTooNear`](StopReason::DeadlineTooNear) |
//! | the body can be replayed | [`NotReplayable`](StopReason::NotReplayable) |
//! | the [`Budget`] has a retry left | [`BudgetExhausted`](StopReason::BudgetExhausted) |
//! | the inner service becomes ready again | [`NotReady`](StopReason::NotReady) |
//! | the inner service becomes ready in time for another attempt | [`DeadlineTooNear`](StopReason::DeadlineTooNear) |
//!
//! One retry per call is free: for a request that the client provably never wrote to a reused
//! connection (hyper's "canceled"). That request is sent again at once, whatever its method. The
//! retry is neither counted nor charged to the budget. It requires that the deadline allows it and
//! that [`max_retries`](RetryLayer::max_retries) is not 0.
//!
//! With hyper-util's client, the free retry requires `seawall::hyper_util::TrackReuse`, which
//! tracks whether a connection was used before. The client itself also repeats such a request on
//! another connection, unless configured otherwise. A request that was never written to a *fresh*
//! connection is retried like any other unprocessed request: an upstream that accepts connections
//! and closes them at once is down.
//!
//! A failure with a status of 400 or more is retryable if the status is in the
//! [forcelist](RetryLayer::retry_statuses). Any other failure is judged by its
//! [`Cause`](crate::Cause). Failures of the connection, DNS and the TLS protocol are retryable, as
//! are timeouts, incomplete or malformed responses, rate limits and overload. Invalid certificates,
//! invalid requests, loops and rejections by this crate are not.
//!
//! 408 and 409 are not in the forcelist. 408 means that the request did not arrive in time, and an
//! identical retry rarely helps. 409 means that the same request cannot succeed. LLM APIs use both
//! for "try again": see below.
//!
//! # Result
//!
//! The caller gets the last response or the last error. An error is wrapped in [`RetriesExhausted`]
//! after more than one attempt, or if the budget allows no retry. `RetriesExhausted` has the head
//! of the last response, if there was one. It is classified for the whole call: the call is
//! [not processed](crate::Processed::No) only if no attempt was processed.
//!
//! A response carries [`RetryReport`] in its extensions if it took more than one attempt or is a
//! failure.
//!
//! # Settings for some clients
//!
//! The settings of the OpenAI and Anthropic SDKs. Their headers `retry-after-ms` and
//! `x-should-retry` are always respected:
//!
//! ```
//! use std::time::Duration;
//! use seawall::retry::{Backoff, Budget, RetryLayer};
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
//! The exact equivalent of urllib3's
//! `Retry(total=3, status_forcelist=[502, 503, 504], backoff_factor=1)`, checked against 400
//! recorded runs of urllib3:
//!
//! ```
//! use std::time::Duration;
//! use seawall::retry::{Backoff, Budget, RetryLayer};
//!
//! let layer = RetryLayer::new()
//!     .max_retries(3)
//!     .retry_statuses([502, 503, 504])
//!     .backoff(Backoff::urllib3(1.0)?)
//!     .retry_statuses_with_retry_after([413, 429, 503])
//!     .max_retry_after(Duration::from_secs(21_600))
//!     .clamp_retry_after(true)
//!     .jitter_retry_after(false)
//!     .max_total_delay(Duration::MAX)
//!     .error_on_exhausted_status(true)
//!     .budget(Budget::none());
//! # Ok::<(), seawall::retry::InvalidBackoffFactor>(())
//! ```
//!
//! # Bodies
//!
//! The layer buffers a request's body while it is sent, up to
//! [`max_replay_bytes`](RetryLayer::max_replay_bytes) bytes, and replays it in later attempts. It
//! reads nothing ahead of the first attempt. `Bytes` are shared, not copied. An empty body costs
//! nothing. A body whose size hint exceeds the limit is not buffered. It is retried only if nothing
//! of it was read, for example after a refused connection.
//!
//! # Cancel safety
//!
//! Dropping the future drops the attempt in flight, the delay and the buffered body. No task
//! continues in the background.
//!
//! # Clone
//!
//! The budget is created with the layer, and shared by all its services and clones. The inner
//! service must be `Clone`. The instance that was polled ready makes the first attempt. A clone
//! makes the later attempts and is polled ready before each.
//!
//! # Order
//!
//! Place it outside [`TimeoutLayer`](crate::timeout::TimeoutLayer), so that each attempt has its
//! own timeout. Place it inside [`LoggingLayer`](crate::logging::LoggingLayer), so that each call
//! is one log line. Retry at one hop only: three hops with five attempts each amplify one request
//! into 125.
//!
//! A layer that follows redirects, such as tower-http's `FollowRedirectLayer`, goes outside, so
//! that each hop is a separate call. Inside, a connection refused after a redirect would wrongly
//! prove that a POST was not sent. A layer that assigns request IDs also goes outside, so that all
//! attempts share an ID. `tower::limit` and `tower::buffer` can go inside, to apply to attempts, or
//! outside, to apply to calls. Inside, their permits are not held during the delays between
//! attempts.
//!
//! # Differs from
//!
//! - `tower::retry`: this layer includes a policy, does not require `Clone` of request bodies, and
//!   draws different jitter for each call.
//! - reqwest's own retries: this layer waits between attempts, reads `Retry-After`, and determines
//!   which failures are safe to retry.

mod call_adapter;
mod decision;
mod drain;
mod event;
mod future;
mod http_calls;
mod http_settings;
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
};
#[doc(inline)]
pub use seawall_core::attempts::{
    AttemptNumber, FailedAttempt, RetriesExhausted, RetryReport, StopReason,
};
