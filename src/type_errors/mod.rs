//! Troubleshooting common type errors: compiler messages for a stack that does not fit together,
//! their causes and fixes.
//!
//! The messages are those of rustc 1.95. `…` marks omitted text. Tests compare these pages with the
//! compiler's output.
//!
//! # First make the compiler name the reason
//!
//! For a method call on a stack that does not fit together, the compiler names no reason:
//!
//! ```text
//! error[E0599]: the method `oneshot` exists for struct `Logging<…>`, but its trait bounds were not satisfied
//! …doesn't satisfy `_: Service<_>` or `_: ServiceExt<_>`
//! ```
//!
//! Pass the stack to a function that requires a service for your requests, and the compiler names
//! the reason. This function is sufficient; delete it afterwards:
//!
//! ```
//! fn check<Req>(_: impl tower::Service<Req>) {}
//! # use seawall::standard::StandardLayer;
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # let client = tower::ServiceBuilder::new().layer(StandardLayer::new("billing")).service_fn(
//! #     async |_: http::Request<seawall::retry::ReplayBody<Body>>| {
//! #         Ok::<_, seawall::BoxError>(http::Response::new(Body::default()))
//! #     },
//! # );
//!
//! check::<http::Request<Body>>(client);
//! ```
//!
//! # Errors by topic
//!
//! **Bodies**
//!
//! - [The client has another body type](bodies#the-client-has-another-body-type)
//! - [An optional layer changes the body](bodies#an-optional-layer-changes-the-body)
//!
//! **Services**
//!
//! - [The client is not `Clone`](services#the-client-is-not-clone)
//! - [A router requires `Infallible`](services#a-router-requires-infallible)
//! - [The service's error does not implement
//!   `Error`](services#the-services-error-does-not-implement-error)
//! - [The service is not HTTP](services#the-service-is-not-http)
//!
//! **Closures**
//!
//! - [A closure argument has no type](closures#a-closure-argument-has-no-type)
//! - [A key function borrows from the URL](closures#a-key-function-borrows-from-the-url)
//! - [A closure as a classifier](closures#a-closure-as-a-classifier)
//! - [A classifier for one body type, in a
//!   stack](closures#a-classifier-for-one-body-type-in-a-stack)
//!
//! **Tasks**
//!
//! - [A spawned call is not general enough](tasks#a-spawned-call-is-not-general-enough)

pub mod bodies;
pub mod closures;
pub mod services;
pub mod tasks;
