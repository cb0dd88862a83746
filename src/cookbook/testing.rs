//! Recipes for your own tests.
//!
//! # Test your service against a failing upstream
//!
//! Replace the client with an upstream that fails on purpose. With tokio's clock paused, waits take
//! no time, so a minute of retries passes in a millisecond.
//!
//! ```
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! use std::{io, sync::atomic::{AtomicU32, Ordering}};
//! use http::{Request, Response, StatusCode};
//! use seawall::{retry::ReplayBody, standard::StandardLayer, BoxError};
//! use tower::{Layer, ServiceExt};
//!
//! // In your test: #[tokio::test(start_paused = true)]
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), BoxError> {
//! static REQUESTS: AtomicU32 = AtomicU32::new(0);
//! let upstream = tower::service_fn(async |_: Request<ReplayBody<Body>>| {
//!     let mut response = Response::new(Body::default());
//!     match REQUESTS.fetch_add(1, Ordering::Relaxed) {
//!         0 => return Err(io::Error::from(io::ErrorKind::ConnectionReset)),
//!         1 => *response.status_mut() = StatusCode::BAD_GATEWAY,
//!         _ => {}
//!     }
//!     Ok(response)
//! });
//!
//! let client = StandardLayer::new("billing").layer(upstream);
//! let response = client.oneshot(Request::get("http://billing/").body(Body::default())?).await?;
//! assert_eq!(response.status(), 200);
//! assert_eq!(REQUESTS.load(Ordering::Relaxed), 3);
//! # Ok(())
//! # }
//! ```
//!
//! The feature `test-util` provides two such upstreams: `seawall::test_util::FlakyService` in the
//! process, and `seawall::test_util::FlakyUpstream` on a socket.
//!
//! ```
//! # #[cfg(feature = "test-util")] {
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! use http::{Method, Request};
//! use seawall::{standard::StandardLayer, test_util::{FlakyService, Script, Step}};
//! use tower::{Layer, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! let script =
//!     Script::new().then(Step::reset()).then(Step::status(502)).then_repeat(Step::ok("hi"));
//! let upstream = FlakyService::new(script)?;
//! let client = StandardLayer::new("billing").layer(upstream.clone());
//! let request = Request::get("http://billing/").body(Body::default())?;
//! let response = client.clone().oneshot(request).await?;
//! assert_eq!((response.status().as_u16(), upstream.requests()), (200, 3));
//!
//! // The most important test: a payment is not made twice.
//! upstream.set_script(Step::reset())?;
//! let payment = Request::post("http://billing/pay").body(Body::from("5 €"))?;
//! assert!(client.oneshot(payment).await.is_err());
//! let received = upstream.received();
//! assert_eq!(received.iter().filter(|it| it.method() == Method::POST).count(), 1);
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```
//!
//! # Make a test deterministic
//!
//! Delays are jittered. For a test that checks times, use a backoff without jitter:
//!
//! ```
//! use std::time::Duration;
//! use seawall::{retry::{Backoff, RetryLayer}, standard::StandardLayer};
//!
//! let retry = RetryLayer::new().backoff(Backoff::constant(Duration::from_secs(1)));
//! let layer = StandardLayer::new("billing").retry(retry);
//! # let _ = layer;
//! ```
