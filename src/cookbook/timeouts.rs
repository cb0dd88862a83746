//! Recipes for not waiting for ever.
//!
//! # Give each route its own time
//!
//! [`TimeoutLayer::from_fn`](crate::timeout::TimeoutLayer::from_fn) asks a closure for each request. The closure's type must be written. Around a
//! [`StandardLayer`](crate::standard::StandardLayer) it bounds the whole call, all attempts together; inside, each attempt.
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
//! For one request only, put a [`Deadline`](crate::Deadline) into its extensions: whichever of it and the stack's own comes first
//! holds.
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
//! # let begun = tokio::time::Instant::now();
//! let mut request = Request::get("http://billing/").body(Body::default())?;
//! request.extensions_mut().insert(Deadline::within(Duration::from_millis(300)));
//! assert!(client.oneshot(request).await.is_err());
//! # assert_eq!(begun.elapsed(), Duration::from_millis(300));
//! # Ok(())
//! # }
//! ```
//!
//! # Keep to the deadline of your caller, and hand it on
//!
//! A caller that has gone needs no answer, so there is no use in going on for it. Callers say how long they wait in a header
//! (`grpc-timeout`, or Envoy's `x-envoy-expected-rq-timeout-ms`); read it only from callers that you trust, since it is they who
//! then decide. It can only shorten your own limit.
//!
//! ```
//! use std::time::Duration;
//! use seawall::{
//!     deadline::{DeadlineHeaderLayer, DeadlineLayer, TimeoutHeader},
//!     standard::StandardLayer,
//! };
//!
//! let edge = StandardLayer::gateway("edge")
//!     .deadline(DeadlineLayer::new(Duration::from_secs(15)).trust_header(TimeoutHeader::EnvoyExpected))
//!     .deadline_header(DeadlineHeaderLayer::new(TimeoutHeader::EnvoyExpected));
//! # let _ = edge;
//! ```
//!
//! # Let a stream run, and notice when it stalls
//!
//! Nothing in the stack bounds a whole body, so downloads and server-sent events may take hours. What is bounded is the
//! silence between two pieces; a stream that is often silent for longer says so:
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
//! A body that breaks off or stalls ends in an error while it is read: it is not begun again, since by then you have part of it.
//! A stream that never ends but sends a comment now and then is the better protocol.
//!
//! # Drop callers that upload a byte a minute
//!
//! In a server: a caller whose body stalls is answered 408, and its connection is free again.
//!
//! ```
//! use std::time::Duration;
//! use axum::{Router, body::Body, http::Request, routing::post};
//! use seawall::{body_timeout::BodyTimeoutLayer, error_response::ErrorResponseLayer};
//! use tower::ServiceBuilder;
//!
//! let app: Router = Router::new().route("/upload", post(async |_: axum::body::Bytes| "stored")).layer(
//!     ServiceBuilder::new()
//!         .layer(ErrorResponseLayer::new("edge"))
//!         .layer(BodyTimeoutLayer::for_requests().idle(Duration::from_secs(20)))
//!         .map_request(|request: Request<_>| request.map(Body::new)),
//! );
//! # let _ = app;
//! ```
//!
//! The wait for the *head* of a request is the server's own to bound: with hyper-util, `http1().timer(TokioTimer::new())` and
//! `header_read_timeout`. `axum::serve` sets no timer, and so has no such limit.
