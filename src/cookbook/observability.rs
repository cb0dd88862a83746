//! Recipes for logs and metrics.
//!
//! # Log only failures and a sample of successes
//!
//! Sampling applies only to successes: all failures are logged. Health checks can be skipped
//! entirely.
//!
//! ```
//! use seawall::{logging::LoggingLayer, standard::StandardLayer, Ratio};
//!
//! let quiet = StandardLayer::new("billing").logging(LoggingLayer::client().only_failures());
//! let sampled = StandardLayer::gateway("edge").access_log(
//!     LoggingLayer::server()
//!         .sample(Ratio::new(0.01)?)
//!         .skip(|head| head.uri().path() == "/health"),
//! );
//! # let _ = (quiet, sampled);
//! # Ok::<(), seawall::RatioOutOfRange>(())
//! ```
//!
//! # Follow a request by its ID
//!
//! tower-http's `SetRequestIdLayer` adds an `x-request-id` to requests without one. Put it around
//! the stack. The ID then appears in every log line and in error responses. It is a header of the
//! request, so every attempt sends the same ID.
//!
//! ```
//! # type ClientBody = seawall::retry::ReplayBody<http_body_util::Full<bytes::Bytes>>;
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! use http::{HeaderValue, Request};
//! use seawall::standard::StandardLayer;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # let client = tower::service_fn(async |request: Request<ClientBody>| {
//! #     assert_eq!(request.headers()["x-request-id"], "17");
//! #     let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
//! #     Err::<http::Response<Body>, _>(refused)
//! # });
//! let server = ServiceBuilder::new()
//!     // Replaces `SetRequestIdLayer::x_request_id(MakeRequestUuid)`.
//!     .map_request(|mut request: Request<Body>| {
//!         request.headers_mut().entry("x-request-id").or_insert(HeaderValue::from_static("17"));
//!         request
//!     })
//!     .layer(StandardLayer::gateway("edge"))
//!     .service(client);
//! let response = server.oneshot(Request::get("http://billing/").body(Body::default())?).await?;
//! # use http_body_util::BodyExt;
//! let body = response.into_body().collect().await?.to_bytes();
//! assert!(String::from_utf8_lossy(&body).contains(r#""request_id":"17""#));
//! # Ok(())
//! # }
//! ```
//!
//! # Export metrics to Prometheus
//!
//! With the feature `metrics`, the layers record attempts, retries, budgets, circuits and
//! rejections. They use the installed recorder of the `metrics` crate, such as
//! `metrics-exporter-prometheus`. A separate layer records durations.
//!
//! ```
//! # #[cfg(feature = "metrics")] {
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! use seawall::{request_duration::RequestDurationLayer, standard::StandardLayer};
//! use tower::ServiceBuilder;
//!
//! // Install the recorder first. For metrics-exporter-prometheus:
//! // `PrometheusBuilder::new().set_buckets(seawall::metrics::DURATION_BUCKETS)?.install()?;`
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
//! Useful alerts are `seawall_circuit_state{state="open"}`, a `seawall_retry_budget_ratio` near 1,
//! and a growing `seawall_retries_exhausted_total`.
