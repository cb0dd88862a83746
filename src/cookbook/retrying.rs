//! Recipes for retries.
//!
//! # Retry a POST without paying twice
//!
//! A POST that may have been processed is not retried, unless it has an `Idempotency-Key`. With
//! that key the server recognizes a repeated order. Create one key per order, not per attempt, and
//! send it only to servers that support it.
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
//! #     if SENT.fetch_add(1, Ordering::Relaxed) == 0 {
//! #         *response.status_mut() = StatusCode::BAD_GATEWAY;
//! #     }
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
//! // The first attempt gets a 502.
//! let response = client.oneshot(order).await?;
//! assert_eq!(response.status(), 200);
//! # assert_eq!(SENT.load(Ordering::Relaxed), 2);
//! # Ok(())
//! # }
//! ```
//!
//! If all of your POSTs are safe to repeat, allow it for all of them:
//! `.retry(RetryLayer::new().retry_all_methods())`.
//!
//! # Retry one request differently
//!
//! A policy in the request's extensions replaces the layer's policy. Create it once: a clone only
//! increments a reference count.
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
//! # Retry only requests that never reached the upstream
//!
//! Retries are counted for four kinds of failures. Set three of the counts to zero. The fourth kind
//! contains unresolved names and failed connections, which are safe to retry for every method.
//!
//! ```
//! use seawall::{retry::RetryLayer, standard::StandardLayer};
//!
//! let retry = RetryLayer::new().max_read_retries(0).max_status_retries(0).max_other_retries(0);
//! let layer = StandardLayer::new("billing").retry(retry);
//! # let _ = layer;
//! ```
//!
//! # Poll until a result is ready
//!
//! A status below 400 can be retried too. The delay comes from the server (`Retry-After`) or the
//! backoff. The budget protects an upstream in trouble. Disable it here, because every call is
//! repeated.
//!
//! ```
//! # use http::{Request, Response, StatusCode};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # let upstream = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
//! # let upstream = tower::service_fn(move |_: Request<seawall::retry::ReplayBody<Body>>| {
//! #     let mut response = Response::new(Body::default());
//! #     if upstream.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 5 {
//! #         *response.status_mut() = StatusCode::ACCEPTED;
//! #     }
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
//! LLM APIs send 408, 409, 429, 529 or 5xx when a retry helps, and set `retry-after-ms` or
//! `x-should-retry`. A repeated POST is harmless there. Responses stream with pauses, so the limits
//! are long. Each host has its own circuit.
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
//!             .backoff(
//!                 Backoff::exponential(Duration::from_millis(500)).max(Duration::from_secs(8)),
//!             ),
//!     )
//!     .timeouts(
//!         Timeouts::new(Duration::from_secs(120), Duration::from_secs(600))?
//!             .body_idle(Duration::from_secs(300)),
//!     );
//! # let _ = layer;
//! # Ok::<(), seawall::standard::InvalidTimeouts>(())
//! ```
//!
//! # Find out why retrying stopped
//!
//! A response that took several attempts, or that failed, carries a
//! [`RetryReport`](crate::retry::RetryReport). An error after several attempts is wrapped in
//! [`RetriesExhausted`](crate::retry::RetriesExhausted).
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
//! let request = Request::post("http://billing/").body(Body::default())?;
//! let error = client.oneshot(request).await.unwrap_err();
//! let exhausted = find_source::<RetriesExhausted>(&*error).ok_or("only one attempt")?;
//! // A call may have four retries, but without other calls the budget has only three.
//! assert_eq!(exhausted.attempts().get(), 4);
//! assert_eq!(exhausted.stop_reason(), StopReason::BudgetExhausted);
//! println!("{}", classify_error(&*error).advice());
//!
//! let client = RetryLayer::new().layer(failing);
//! let response = client.oneshot(Request::post("http://billing/").body(Body::default())?).await?;
//! let report = response.extensions().get::<RetryReport>().ok_or("no report")?;
//! assert_eq!(report.attempts().get(), 1);
//! assert_eq!(report.stop_reason(), Some(StopReason::MethodNotAllowed));
//! # Ok(())
//! # }
//! ```
//!
//! # Treat an error in a 200 as a failure
//!
//! The classifier defines failures, for the retry, the breaker and the log alike. A classifier sees
//! only the head of a response.
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
//!     fn classify(
//!         &self,
//!         outcome: Result<&Response<B>, &(dyn Error + 'static)>,
//!     ) -> Option<Failure> {
//!         if outcome.is_ok_and(|response| response.headers().contains_key("x-error")) {
//!             return Some(Failure::new(Cause::Overloaded));
//!         }
//!         HttpClassifier::new().classify(outcome)
//!     }
//! }
//!
//! # let upstream = tower::service_fn(async |_: Request<seawall::retry::ReplayBody<Body>>| {
//! #     let response = Response::builder().header("x-error", "busy");
//! #     Ok::<_, seawall::BoxError>(response.body(Body::default())?)
//! # });
//! let retry = RetryLayer::new().classifier(ByHeader);
//! let client = ServiceBuilder::new().layer(retry).service(upstream);
//! let response = client.oneshot(Request::new(Body::default())).await?;
//! assert_eq!(response.status(), 200);
//! let report = response.extensions().get::<RetryReport>().ok_or("no report")?;
//! assert_eq!(report.attempts().get(), 4);
//! # Ok(())
//! # }
//! ```
