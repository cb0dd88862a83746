//! Closures whose types the compiler does not infer, and closures as classifiers.
//!
//! # A closure argument has no type
//!
//! ```text
//! error[E0282]: type annotations needed for `&_`
//! help: consider giving this closure parameter an explicit type, where the placeholders `_` are specified
//! ```
//!
//! **Cause.** When the compiler checks the closure, the layer's request type is not known yet.
//!
//! **Fix.** Write the type. The type of the body may be inferred:
//!
//! ```
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! use std::time::Duration;
//! use http::Request;
//! use seawall::timeout::TimeoutLayer;
//!
//! let layer = TimeoutLayer::from_fn(|request: &Request<_>| {
//!     request.uri().path().starts_with("/reports/").then_some(Duration::from_secs(60))
//! });
//! # let inner = tower::service_fn(async |_: Request<Body>| Ok::<_, seawall::BoxError>(()));
//! # let service = tower::Layer::layer(&layer, inner);
//! # fn check<Req>(_: impl tower::Service<Req>) {}
//! # check::<Request<Body>>(service);
//! ```
//!
//! The same applies to `per_request_key` and [`classify_fn`](crate::classify::classify_fn).
//!
//! # A key function borrows from the URL
//!
//! ```text
//! error: lifetime may not live long enough
//! …returning this value requires that `'1` must outlive `'2`
//! ```
//!
//! **Cause.** For a closure in a variable of its own, the compiler does not connect the lifetimes
//! of the argument and the result.
//!
//! **Fix.** Write the closure where it is used, or use a function:
//!
//! ```
//! use std::borrow::Cow;
//! use http::Uri;
//! use seawall::standard::StandardLayer;
//!
//! let layer = StandardLayer::new("billing").per_key(|uri| uri.host().map(Cow::Borrowed));
//!
//! fn by_host(uri: &Uri) -> Option<Cow<'_, str>> {
//!     uri.host().map(Cow::Borrowed)
//! }
//! let layer = StandardLayer::new("billing").per_key(by_host);
//! # let _ = layer;
//! ```
//!
//! # A closure as a classifier
//!
//! ```text
//! error[E0277]: `{closure@…}` does not classify responses of type `Response<…Full<…Bytes>>`
//! …give the layer a classifier that does: `.classifier(seawall::classify::classify_fn(|outcome: Result<&Response<…Full<…Bytes>>, &(dyn Error + 'static)>| ...))`, or a type of yours that implements `seawall::classify::Classify<Response<…Full<…Bytes>>>`
//! ```
//!
//! **Cause.** A closure is not a classifier by itself. Otherwise, the types of its arguments could
//! not be inferred.
//!
//! **Fix.** Wrap it in [`classify_fn`](crate::classify::classify_fn):
//!
//! ```
//! # use http::{Request, Response};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! use std::error::Error;
//! use seawall::{circuit_breaker::CircuitBreakerLayer, classify::{classify_error, classify_fn}};
//! use tower::ServiceBuilder;
//!
//! let classifier = classify_fn(|outcome: Result<&Response<Body>, &(dyn Error + 'static)>| {
//!     outcome.err().map(classify_error)
//! });
//! let client = ServiceBuilder::new()
//!     .layer(CircuitBreakerLayer::new().classifier(classifier))
//!     .service_fn(async |_: Request<Body>| {
//!         Ok::<_, seawall::BoxError>(Response::new(Body::default()))
//!     });
//! # fn check<Req>(_: impl tower::Service<Req>) {}
//! # check::<Request<Body>>(client);
//! ```
//!
//! # A classifier for one body type, in a stack
//!
//! ```text
//! error[E0631]: type mismatch in closure arguments
//! …expected closure signature `for<'a, 'b> fn(Result<&'a Response<…ResponseBody<…>…>, &'b (dyn std::error::Error + 'static)>) -> _`
//! ```
//!
//! **Cause.** Layers wrap the body of a response, so each layer sees another type. A closure
//! accepts only one.
//!
//! **Fix.** Implement [`Classify`](crate::classify::Classify) for all body types, on your own type:
//!
//! ```
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! use std::error::Error;
//! use http::Response;
//! use seawall::{classify::{Classify, HttpClassifier}, standard::StandardLayer, Cause, Failure};
//!
//! /// Classifies responses with an `x-failed` header as failures.
//! #[derive(Clone, Debug)]
//! struct ByHeader;
//!
//! impl<B> Classify<Response<B>> for ByHeader {
//!     fn classify(
//!         &self,
//!         outcome: Result<&Response<B>, &(dyn Error + 'static)>,
//!     ) -> Option<Failure> {
//!         if outcome.is_ok_and(|response| response.headers().contains_key("x-failed")) {
//!             return Some(Failure::new(Cause::Overloaded));
//!         }
//!         HttpClassifier::new().classify(outcome)
//!     }
//! }
//!
//! let layer = StandardLayer::new("billing").classifier(ByHeader);
//! # let service = tower::Layer::layer(&layer, tower::service_fn(
//! #     async |_: http::Request<seawall::retry::ReplayBody<Body>>| {
//! #         Ok::<_, seawall::BoxError>(Response::new(Body::default()))
//! #     },
//! # ));
//! # fn check<Req>(_: impl tower::Service<Req>) {}
//! # check::<http::Request<Body>>(service);
//! ```
