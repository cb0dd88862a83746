//! Recipes for timeouts and deadlines.
//!
//! # Set a timeout per route
//!
//! [`TimeoutLayer::from_fn`](crate::timeout::TimeoutLayer::from_fn) calls a closure for each
//! request. Write out the type of the closure's argument. Around a
//! [`StandardLayer`](crate::standard::StandardLayer), the timeout limits the whole call with all
//! its attempts. Inside, it limits each attempt.
//!
//! ```
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! use std::time::Duration;
//! use http::Request;
//! use seawall::{standard::StandardLayer, timeout::TimeoutLayer};
//! use tower::ServiceBuilder;
//!
//! # let upstream = tower::service_fn(async |_: Request<seawall::retry::ReplayBody<Body>>| {
//! #     Ok::<_, seawall::BoxError>(http::Response::new(Body::default()))
//! # });
//! let client = ServiceBuilder::new()
//!     .layer(TimeoutLayer::from_fn(|request: &Request<_>| match request.uri().path() {
//!         "/events" => None,
//!         path if path.starts_with("/reports/") => Some(Duration::from_secs(25)),
//!         _ => Some(Duration::from_secs(3)),
//!     }))
//!     .layer(StandardLayer::new("billing"))
//!     .service(upstream);
//! # fn check<Req>(_: impl tower::Service<Req>) {}
//! # check::<Request<Body>>(client);
//! ```
//!
//! For a single request, insert a [`Deadline`](crate::Deadline) into its extensions. The earlier of
//! this deadline and the stack's own applies:
//!
//! ```
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! use std::time::Duration;
//! use http::Request;
//! use seawall::Deadline;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # use tower::ServiceExt;
//! # let upstream = tower::service_fn(async |_: Request<seawall::retry::ReplayBody<Body>>| {
//! #     std::future::pending::<Result<http::Response<Body>, seawall::BoxError>>().await
//! # });
//! # let client = tower::Layer::layer(&seawall::standard::StandardLayer::new("billing"), upstream);
//! # let started = tokio::time::Instant::now();
//! let mut request = Request::get("http://billing/").body(Body::default())?;
//! request.extensions_mut().insert(Deadline::within(Duration::from_millis(300)));
//! assert!(client.oneshot(request).await.is_err());
//! # assert_eq!(started.elapsed(), Duration::from_millis(300));
//! # Ok(())
//! # }
//! ```
//!
//! # Propagate the caller's deadline
//!
//! A response is useless to a caller that has already given up. Callers send their timeout in a
//! header (`grpc-timeout`, or Envoy's `x-envoy-expected-rq-timeout-ms`). Read it only from trusted
//! callers, because it gives them control over your timeout. The header can only shorten your own
//! limit.
//!
//! ```
//! use std::time::Duration;
//! use seawall::{
//!     deadline::{DeadlineHeaderLayer, DeadlineLayer, TimeoutHeader},
//!     standard::StandardLayer,
//! };
//!
//! let header = TimeoutHeader::EnvoyExpected;
//! let edge = StandardLayer::gateway("edge")
//!     .deadline(DeadlineLayer::new(Duration::from_secs(15)).trust_header(header))
//!     .deadline_header(DeadlineHeaderLayer::new(header));
//! # let _ = edge;
//! ```
//!
//! # Let a stream run, and detect stalls
//!
//! The stack does not limit the total time of a body, so downloads and server-sent events may take
//! hours. It limits the pause between two frames. For a stream with longer pauses, raise the limit:
//!
//! ```
//! use std::time::Duration;
//! use seawall::standard::{StandardLayer, Timeouts};
//!
//! let events = StandardLayer::new("events")
//!     .timeouts(Timeouts::default().body_idle(Duration::from_secs(15 * 60)));
//! # let _ = events;
//! ```
//!
//! A body that breaks off or stalls ends in an error when it is read. It is not retried, because
//! you have already received a part of it. If you control the protocol, let the stream send a
//! comment regularly: then a stall is detectable.
//!
//! # Drop slow uploads
//!
//! In a server, a caller whose body stalls gets a 408, and its connection is released.
//!
//! ```
//! use std::time::Duration;
//! use axum::{Router, body::Body, http::Request, routing::post};
//! use seawall::{body_timeout::BodyTimeoutLayer, error_response::ErrorResponseLayer};
//! use tower::ServiceBuilder;
//!
//! let layers = ServiceBuilder::new()
//!     .layer(ErrorResponseLayer::new("edge"))
//!     .layer(BodyTimeoutLayer::for_requests().idle(Duration::from_secs(5)))
//!     .map_request(|request: Request<_>| request.map(Body::new));
//! let app: Router =
//!     Router::new().route("/upload", post(async |_: axum::body::Bytes| "stored")).layer(layers);
//! # let _ = app;
//! ```
//!
//! A [`StandardLayer`](crate::standard::StandardLayer) does this itself: a caller whose body stalls
//! for as long as an attempt may take gets a 408. The upstream is not blamed, and a slow upload that
//! makes progress does not count as a slow attempt. If you add the layer above around a stack, keep
//! its limit below the timeout of an attempt. In a stack of your own, use
//! [`TimeoutLayer::pause_while_body_pending`](crate::timeout::TimeoutLayer::pause_while_body_pending)
//! inside the retry layer.
//!
//! This layer does not limit the wait for the *head* of a request. The server must do that: with
//! hyper-util, set `http1().timer(TokioTimer::new())` and `header_read_timeout`. `axum::serve` sets
//! no timer, and therefore has no such limit.
