//! Calls in a task.
//!
//! # A spawned call is not general enough
//!
//! ```text
//! error: implementation of `From` is not general enough
//! error[E0308]: mismatched types
//! ```
//!
//! **Cause.** In the future of an `async` block, the compiler checks `Send` without lifetimes. It
//! then takes `Box<dyn Error + Send + Sync>` in a type for `Box<dyn Error + Send + Sync + '_>`,
//! which does not convert into [`BoxError`](crate::BoxError). Layers of tower and hyper's client
//! have the same errors. The error type of the inner service or of a body contains such a box.
//!
//! **Fix.** Box the call with `boxed` of futures-util:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! use futures_util::FutureExt;
//! use http::{Request, Response};
//! use seawall::{retry::ReplayBody, standard::StandardLayer, BoxError};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! let client = ServiceBuilder::new()
//!     .layer(StandardLayer::new("billing"))
//!     .service_fn(async |_: Request<ReplayBody<Body>>| {
//!         Ok::<_, BoxError>(Response::new(Body::default()))
//!     });
//! let task = tokio::spawn(async move {
//!     let response = client.oneshot(Request::new(Body::default())).boxed().await?;
//!     Ok::<_, BoxError>(response.status())
//! });
//! assert_eq!(task.await??, 200);
//! # Ok(())
//! # }
//! ```
//!
//! Or spawn the call itself: `tokio::spawn(client.oneshot(request))`. A body without a boxed error
//! in its type, such as `axum::body::Body`, helps too.
