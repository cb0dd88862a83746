//! Recipes for seeing what happens.
//!
//! # Log failures only, and a few successes
//!
//! Failures are never sampled. A health check is left out altogether.
//!
//! ```
//! use seawall::{logging::LoggingLayer, standard::StandardLayer, Ratio};
//!
//! let quiet = StandardLayer::new("billing").logging(LoggingLayer::client().only_failures());
//! let sampled = StandardLayer::gateway("edge").access_log(
//!     LoggingLayer::server().sample(Ratio::new(0.01)?).skip(|head| head.uri().path() == "/health"),
//! );
//! # let _ = (quiet, sampled);
//! # Ok::<(), seawall::RatioOutOfRange>(())
//! ```
//!
//! # Follow a request by its id
//!
//! tower-http's `SetRequestIdLayer` makes an `x-request-id` where there is none; put it around the stack. It is then in every line of
//! the log, in the answers to failures, and, being a header of the request, the same in every attempt.
//!
//! ```
//! # type Sent = seawall::retry::ReplayBody<http_body_util::Full<bytes::Bytes>>;
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! use http::{HeaderValue, Request};
//! use seawall::standard::StandardLayer;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # let client = tower::service_fn(async |request: Request<Sent>| {
//! #     assert_eq!(request.headers()["x-request-id"], "17");
//! #     Err::<http::Response<Body>, _>(std::io::Error::from(std::io::ErrorKind::ConnectionRefused))
//! # });
//! let server = ServiceBuilder::new()
//!     // In place of `SetRequestIdLayer::x_request_id(MakeRequestUuid)`.
//!     .map_request(|mut request: Request<Body>| {
//!         request.headers_mut().entry("x-request-id").or_insert(HeaderValue::from_static("17"));
//!         request
//!     })
//!     .layer(StandardLayer::gateway("edge"))
//!     .service(client);
//! let response = server.oneshot(Request::get("http://billing/").body(Body::default())?).await?;
//! # use http_body_util::BodyExt;
//! let answer = response.into_body().collect().await?.to_bytes();
//! assert!(String::from_utf8_lossy(&answer).contains(r#""request_id":"17""#));
//! # Ok(())
//! # }
//! ```
//!
//! # Measure for Prometheus
//!
//! With the feature `metrics` the layers count for whatever recorder of the `metrics` crate is installed, such as
//! `metrics-exporter-prometheus`: attempts, retries, budget, circuits, rejections. Durations have a layer of their own.
//!
//! ```
//! # #[cfg(feature = "metrics")] {
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! use seawall::{request_duration::RequestDurationLayer, standard::StandardLayer};
//! use tower::ServiceBuilder;
//!
//! // After the recorder is installed, with `seawall::metrics::DURATION_BUCKETS` for the histograms:
//! seawall::metrics::describe();
//!
//! # let upstream = tower::service_fn(async |_: http::Request<seawall::retry::ReplayBody<Body>>| {
//! #     Ok::<_, seawall::BoxError>(http::Response::new(Body::default()))
//! # });
//! let client = ServiceBuilder::new()
//!     .layer(RequestDurationLayer::client())
//!     .layer(StandardLayer::new("billing"))
//!     .service(upstream);
//! # fn check<Req>(_: impl tower::Service<Req>) {}
//! # check::<http::Request<Body>>(client);
//! # }
//! ```
//!
//! Worth an alarm: `seawall_circuit_state{state="open"}`, a `seawall_retry_budget_ratio` near 1, and
//! `seawall_retries_exhausted_total` that grows.
