//! Recipes for sending again.
//!
//! # Send a POST again without paying twice
//!
//! A POST that may have been processed is not sent again. One with an `Idempotency-Key` is, since by it the server tells the
//! second from a new order. Make the key once for each order, not for each attempt, and only for a server that knows it.
//!
//! ```
//! # use http::{Request, Response, StatusCode};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # use std::sync::atomic::{AtomicU32, Ordering};
//! # static SENT: AtomicU32 = AtomicU32::new(0);
//! # let upstream = tower::service_fn(async |_: Request<seawall::retry::ReplayBody<Body>>| {
//! #     let mut response = Response::new(Body::default());
//! #     if SENT.fetch_add(1, Ordering::Relaxed) == 0 { *response.status_mut() = StatusCode::BAD_GATEWAY; }
//! #     Ok::<_, seawall::BoxError>(response)
//! # });
//! use seawall::standard::StandardLayer;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! let client = ServiceBuilder::new().layer(StandardLayer::new("billing")).service(upstream);
//! let order = Request::post("http://billing/orders")
//!     .header("idempotency-key", "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"")
//!     .body(Body::from("one cake"))?;
//!
//! // Answered 502 at first.
//! let response = client.oneshot(order).await?;
//! assert_eq!(response.status(), 200);
//! # assert_eq!(SENT.load(Ordering::Relaxed), 2);
//! # Ok(())
//! # }
//! ```
//!
//! If every POST of yours may be repeated, say so for all: `.retry(RetryLayer::new().retry_all_methods())`.
//!
//! # Retry one request differently
//!
//! A policy among the request's extensions holds in place of the layer's. Make it once; a clone costs a count.
//!
//! ```
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! use http::Request;
//! use seawall::retry::{RetryLayer, RetryOverride};
//!
//! let once = RetryOverride::new(RetryLayer::new().max_retries(0));
//! let patient = RetryOverride::new(RetryLayer::new().max_retries(8));
//!
//! let mut health = Request::get("http://billing/health").body(Body::default())?;
//! health.extensions_mut().insert(once.clone());
//! let mut report = Request::get("http://billing/report").body(Body::default())?;
//! report.extensions_mut().insert(patient.clone());
//! # Ok::<(), http::Error>(())
//! ```
//!
//! # Retry only what never reached the upstream
//!
//! Of the four kinds of failure, three get no retries; what is left are names that do not resolve and connections that are not
//! made. These are safe for any method.
//!
//! ```
//! use seawall::{retry::RetryLayer, standard::StandardLayer};
//!
//! let layer = StandardLayer::new("billing").retry(RetryLayer::new().max_read_retries(0).max_status_retries(0).max_other_retries(0));
//! # let _ = layer;
//! ```
//!
//! # Wait until something is ready
//!
//! A status below 400 can be retried too. Waits are the server's (`Retry-After`) or the backoff's; the budget, which is there to
//! spare an upstream in trouble, is switched off, since here every call is repeated.
//!
//! ```
//! # use http::{Request, Response, StatusCode};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # let upstream = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
//! # let upstream = tower::service_fn(move |_: Request<seawall::retry::ReplayBody<Body>>| {
//! #     let mut response = Response::new(Body::default());
//! #     if upstream.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 5 { *response.status_mut() = StatusCode::ACCEPTED; }
//! #     std::future::ready(Ok::<_, seawall::BoxError>(response))
//! # });
//! use std::time::Duration;
//! use seawall::retry::{Backoff, Budget, RetryLayer};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! let polling = RetryLayer::new()
//!     .retry_statuses([202, 429, 502, 503, 504])
//!     .max_retries(30)
//!     .backoff(Backoff::constant(Duration::from_secs(2)))
//!     .max_total_delay(Duration::from_secs(60))
//!     .budget(Budget::none());
//! let client = ServiceBuilder::new().layer(polling).service(upstream);
//!
//! // 202 five times, then 200.
//! let report = client.oneshot(Request::get("http://reports/17").body(Body::default())?).await?;
//! assert_eq!(report.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! # Call an LLM API
//!
//! Such APIs answer 408, 409, 429, 529 and 5xx when trying again helps, say `retry-after-ms` or `x-should-retry`, and take a POST
//! twice without harm. Responses stream with pauses, so those are allowed to be long; the circuit is for each host.
//!
//! ```
//! use std::time::Duration;
//! use seawall::{retry::{Backoff, RetryLayer}, standard::{StandardLayer, Timeouts}};
//!
//! let layer = StandardLayer::new("llm")
//!     .retry(
//!         RetryLayer::new()
//!             .max_retries(2)
//!             .retry_all_methods()
//!             .retry_statuses([408, 409, 429].into_iter().chain(500..600))
//!             .backoff(Backoff::exponential(Duration::from_millis(500)).max(Duration::from_secs(8))),
//!     )
//!     .timeouts(
//!         Timeouts::new(Duration::from_secs(120), Duration::from_secs(600))?
//!             .body_idle(Duration::from_secs(300)),
//!     );
//! # let _ = layer;
//! # Ok::<(), seawall::standard::InvalidTimeouts>(())
//! ```
//!
//! # Find out why it gave up
//!
//! A response that took several attempts, or that failed, carries [`RetryReport`](crate::retry::RetryReport); an error after several is inside
//! of [`RetriesExhausted`](crate::retry::RetriesExhausted).
//!
//! ```
//! # use http::{Request, Response, StatusCode};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # let refusing = tower::service_fn(async |_: Request<seawall::retry::ReplayBody<Body>>| {
//! #     Err::<Response<Body>, _>(std::io::Error::from(std::io::ErrorKind::ConnectionRefused))
//! # });
//! # let failing = tower::service_fn(async |_: Request<seawall::retry::ReplayBody<Body>>| {
//! #     let mut response = Response::new(Body::default());
//! #     *response.status_mut() = StatusCode::BAD_GATEWAY;
//! #     Ok::<_, seawall::BoxError>(response)
//! # });
//! use seawall::{
//!     classify::classify_error,
//!     find_source,
//!     retry::{RetriesExhausted, RetryLayer, RetryReport, StopReason},
//! };
//! use tower::{Layer, ServiceExt};
//!
//! let client = RetryLayer::new().layer(refusing);
//! let error = client.oneshot(Request::post("http://billing/").body(Body::default())?).await.unwrap_err();
//! let gave_up = find_source::<RetriesExhausted>(&*error).ok_or("one attempt only")?;
//! // Of the four retries that a call may have, the budget has three where nobody else calls.
//! assert_eq!((gave_up.attempts().get(), gave_up.reason()), (4, StopReason::BudgetExhausted));
//! println!("{}", classify_error(&*error).cause().advice());
//!
//! let client = RetryLayer::new().layer(failing);
//! let response = client.oneshot(Request::post("http://billing/").body(Body::default())?).await?;
//! let attempts = response.extensions().get::<RetryReport>().ok_or("it succeeded")?;
//! assert_eq!(attempts.count().get(), 1);
//! assert_eq!(attempts.stop_reason(), Some(StopReason::MethodNotAllowed));
//! # Ok(())
//! # }
//! ```
//!
//! # Take an error in a 200 for one
//!
//! What is a failure is for the classifier to say; retry, breaker and log then all agree. Classifiers see the head.
//!
//! ```
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! use std::error::Error;
//! use http::{Request, Response};
//! use seawall::{
//!     classify::{Classify, HttpClassifier},
//!     retry::{RetryLayer, RetryReport},
//!     Cause,
//!     Failure,
//! };
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! #[derive(Clone, Debug)]
//! struct ByHeader;
//!
//! impl<B> Classify<Response<B>> for ByHeader {
//!     fn classify(&self, outcome: Result<&Response<B>, &(dyn Error + 'static)>) -> Option<Failure> {
//!         if outcome.is_ok_and(|response| response.headers().contains_key("x-error")) {
//!             return Some(Failure::new(Cause::Overloaded));
//!         }
//!         HttpClassifier::new().classify(outcome)
//!     }
//! }
//!
//! # let upstream = tower::service_fn(async |_: Request<seawall::retry::ReplayBody<Body>>| {
//! #     Ok::<_, seawall::BoxError>(Response::builder().header("x-error", "busy").body(Body::default())?)
//! # });
//! let client = ServiceBuilder::new().layer(RetryLayer::new().classifier(ByHeader)).service(upstream);
//! let response = client.oneshot(Request::new(Body::default())).await?;
//! assert_eq!(response.status(), 200);
//! assert_eq!(response.extensions().get::<RetryReport>().ok_or("no failure")?.count().get(), 4);
//! # Ok(())
//! # }
//! ```
