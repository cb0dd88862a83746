//! Troubleshooting common type errors: compiler messages for a stack that does not fit together,
//! their causes and fixes.
//!
//! The messages are those of rustc 1.95. `…` marks omitted text. Tests compare this page with the
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
//! # The client has another body type
//!
//! ```text
//! error[E0277]: the trait bound `…Client<…HttpConnector, …Empty<…Bytes>>: Service<…Request<ReplayBody<…Empty<…Bytes>>>>` is not satisfied
//! ```
//!
//! **Cause.** A retry must read the request's body again. A client inside
//! [`RetryLayer`](crate::retry::RetryLayer) or [`StandardLayer`](crate::standard::StandardLayer)
//! therefore receives [`ReplayBody<B>`](crate::retry::ReplayBody), where `B` is the body that you
//! send.
//!
//! **Fix.** Leave out the client's body type, so that the compiler infers it. Or set it to
//! `ReplayBody<B>`:
//!
//! ```
//! use bytes::Bytes;
//! use http_body_util::Empty;
//! use hyper_util::{client::legacy::{Client, connect::HttpConnector}, rt::TokioExecutor};
//! use seawall::{retry::ReplayBody, standard::StandardLayer};
//! use tower::ServiceBuilder;
//!
//! let hyper: Client<HttpConnector, ReplayBody<Empty<Bytes>>> =
//!     Client::builder(TokioExecutor::new()).build_http();
//! let client = ServiceBuilder::new().layer(StandardLayer::new("billing")).service(hyper);
//! # fn check<Req>(_: impl tower::Service<Req>) {}
//! # check::<http::Request<Empty<Bytes>>>(client);
//! ```
//!
//! If the client accepts only one fixed type, convert the body with `map_body`, using a function
//! that accepts any `ReplayBody`:
//!
//! ```
//! use bytes::Bytes;
//! use http_body_util::{Empty, combinators::UnsyncBoxBody};
//! use hyper_util::{client::legacy::{Client, connect::HttpConnector}, rt::TokioExecutor};
//! use seawall::{standard::StandardLayer, BoxError};
//! use tower::ServiceBuilder;
//!
//! let hyper: Client<HttpConnector, UnsyncBoxBody<Bytes, BoxError>> =
//!     Client::builder(TokioExecutor::new()).build_http();
//! let client = ServiceBuilder::new()
//!     .layer(StandardLayer::new("billing").map_body(UnsyncBoxBody::new))
//!     .service(hyper);
//! # fn check<Req>(_: impl tower::Service<Req>) {}
//! # check::<http::Request<Empty<Bytes>>>(client);
//! ```
//!
//! For tonic, use `.map_body(tonic::body::Body::new)`, or `seawall::tonic::Client` around the
//! channel. For reqwest, use `seawall::reqwest::Client`, which accepts any body.
//!
//! # The client is not `Clone`
//!
//! ```text
//! error[E0277]: the trait bound `NotClone: Clone` is not satisfied
//! …required for `StandardLayer` to implement `Layer<NotClone>`
//! ```
//!
//! **Cause.** The first attempt uses the service that was polled ready, and later attempts use
//! clones of it. The circuit breaker and the in-flight limit replace a service with a clone if its
//! readiness was not used.
//!
//! **Fix.** Derive `Clone`, with shared state behind an `Arc`. If that is impossible, for example
//! for a single hyper connection, use tower's `Buffer`, a queue whose handles are `Clone`:
//!
//! ```
//! # use http::{Request, Response};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # struct NotClone;
//! # impl<B> tower::Service<Request<B>> for NotClone {
//! #     type Response = Response<Body>;
//! #     type Error = seawall::BoxError;
//! #     type Future = std::future::Ready<Result<Response<Body>, seawall::BoxError>>;
//! #     fn poll_ready(
//! #         &mut self,
//! #         _: &mut std::task::Context<'_>,
//! #     ) -> std::task::Poll<Result<(), seawall::BoxError>> {
//! #         std::task::Poll::Ready(Ok(()))
//! #     }
//! #     fn call(&mut self, _: Request<B>) -> Self::Future {
//! #         std::future::ready(Ok(Response::default()))
//! #     }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! use seawall::standard::StandardLayer;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! let client = ServiceBuilder::new()
//!     .layer(StandardLayer::new("billing"))
//!     .buffer(64)
//!     .service(NotClone);
//! let response = client.oneshot(Request::new(Body::default())).await?;
//! # assert_eq!(response.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! # A router requires `Infallible`
//!
//! ```text
//! error[E0277]: the trait bound `Infallible: From<Box<(dyn std::error::Error + Send + Sync + 'static)>>` is not satisfied
//! …required by a bound in `Router::<S>::layer`
//! ```
//!
//! And for a service that is passed to `fallback_service`, `route_service` or `nest_service`:
//!
//! ```text
//! error[E0271]: type mismatch resolving `<Logging<…> as Service<Request<Body>>>::Error == Infallible`
//! …expected `Infallible`, found `Box<dyn Error + Send + Sync>`
//! …required by a bound in `Router::<S>::fallback_service`
//! ```
//!
//! **Cause.** axum sends the responses of its services, so they must not fail. But a timeout, an
//! open circuit or a refused connection is an error.
//!
//! **Fix.** Convert errors into responses, outside all layers that return errors. Use
//! [`StandardLayer::gateway`](crate::standard::StandardLayer::gateway) instead of `new`, or
//! [`ErrorResponseLayer`](crate::error_response::ErrorResponseLayer) around the other layers.
//! axum's `HandleErrorLayer` is not needed.
//!
//! ```
//! use std::time::Duration;
//! use axum::{Router, routing::get};
//! use seawall::{error_response::ErrorResponseLayer, timeout::TimeoutLayer};
//! use tower::ServiceBuilder;
//!
//! let app: Router = Router::new().route("/", get(async || "hi")).layer(
//!     ServiceBuilder::new()
//!         .layer(ErrorResponseLayer::new("edge"))
//!         .layer(TimeoutLayer::new(Duration::from_secs(5))),
//! );
//! ```
//!
//! # The service's error does not implement `Error`
//!
//! ```text
//! error[E0277]: the trait bound `Failed: std::error::Error` is not satisfied
//! …required for `Failed` to implement `Into<Box<(dyn std::error::Error + Send + Sync + 'static)>>`
//! ```
//!
//! **Cause.** A layer with errors of its own returns them and the inner service's errors as one
//! type, [`BoxError`](crate::BoxError). The inner error must convert into that type: it must be
//! `Error + Send + Sync + 'static`, or a `String`.
//!
//! **Fix.** Implement `Error` for it, and return its cause from `source()`. The error is then
//! classified by its cause.
//!
//! ```
//! # use http::{Request, Response};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! use std::{error::Error, fmt, io};
//! use seawall::{classify::classify_error, retry::{ReplayBody, RetryLayer}, Cause};
//! use tower::ServiceBuilder;
//!
//! #[derive(Debug)]
//! struct Failed(io::Error);
//!
//! impl fmt::Display for Failed {
//!     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
//!         f.write_str("billing failed")
//!     }
//! }
//!
//! impl Error for Failed {
//!     fn source(&self) -> Option<&(dyn Error + 'static)> {
//!         Some(&self.0)
//!     }
//! }
//!
//! let refused = Failed(io::ErrorKind::ConnectionRefused.into());
//! assert_eq!(classify_error(&refused).cause(), Cause::ConnectionRefused);
//!
//! let client = ServiceBuilder::new()
//!     .layer(RetryLayer::new())
//!     .service_fn(async |_: Request<ReplayBody<Body>>| {
//!         Err::<Response<Body>, _>(Failed(io::ErrorKind::TimedOut.into()))
//!     });
//! # fn check<Req>(_: impl tower::Service<Req>) {}
//! # check::<Request<Body>>(client);
//! ```
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
//!
//! # The service is not HTTP
//!
//! ```text
//! error[E0277]: requests of type `String` cannot be saved for a retry by `HttpCallAdapter`
//! error[E0277]: `HttpClassifier` does not classify responses of type `String`
//! error[E0277]: responses of type `String` cannot be discarded for a retry by `HttpCallAdapter`
//! error[E0277]: a response of type `String` has no body whose end could be waited for
//! error[E0277]: `UriKey` returns no key for requests of type `String`
//! ```
//!
//! **Cause.** Retry, timeout, breaker and in-flight limit work with any service, but their defaults
//! are for HTTP.
//!
//! **Fix.** Replace the defaults:
//!
//! ```
//! use std::{error::Error, num::NonZeroU32};
//! use seawall::{
//!     circuit_breaker::CircuitBreakerLayer,
//!     classify::{classify_error, classify_fn},
//!     in_flight::InFlightLimitLayer,
//!     retry::RetryLayer,
//! };
//! use tower::ServiceBuilder;
//!
//! let classifier = classify_fn(|outcome: Result<&String, &(dyn Error + 'static)>| {
//!     outcome.err().map(classify_error)
//! });
//! let echo = ServiceBuilder::new()
//!     .layer(RetryLayer::new().clone_requests().classifier(classifier))
//!     .layer(CircuitBreakerLayer::new().classifier(classifier))
//!     .layer(
//!         InFlightLimitLayer::new(NonZeroU32::MIN)
//!             .until_response()
//!             .per_request_key(|text: &String| text.get(..1).map(Into::into)),
//!     )
//!     .service_fn(async |text: String| Ok::<_, seawall::BoxError>(text));
//! # fn check<Req>(_: impl tower::Service<Req>) {}
//! # check::<String>(echo);
//! ```
//!
//! [`LoggingLayer`](crate::logging::LoggingLayer),
//! [`BodyTimeoutLayer`](crate::body_timeout::BodyTimeoutLayer),
//! [`ErrorResponseLayer`](crate::error_response::ErrorResponseLayer),
//! [`BadGatewayClassifierLayer`](crate::bad_gateway::BadGatewayClassifierLayer) and
//! [`StandardLayer`](crate::standard::StandardLayer) are for HTTP only. The compiler then names the
//! requests and responses that they accept:
//!
//! ```text
//! error[E0277]: the trait bound `Logging<Echo>: Service<String>` is not satisfied
//! ```
//!
//! **Fix.** Leave them out, or convert requests and responses to those of `http` around them.
//!
//! # An optional layer changes the body
//!
//! ```text
//! error[E0271]: type mismatch resolving `<… as Service<Request<…>>>::Response == Response<ResponseBody<…>>`
//! ```
//!
//! **Cause.** tower's `option_layer` makes an `Either` of the service with and without the layer.
//! Both must have the same response, but logging and other layers wrap its body.
//!
//! **Fix.** Disable the layer instead, which keeps the type. Each layer has such a setting:
//!
//! ```
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! use http::{Request, Response};
//! use seawall::logging::LoggingLayer;
//! use tower::ServiceBuilder;
//!
//! # let is_enabled = false;
//! let logging = if is_enabled { LoggingLayer::client() } else { LoggingLayer::disabled() };
//! let client = ServiceBuilder::new()
//!     .layer(logging)
//!     .service_fn(async |_: Request<Body>| {
//!         Ok::<_, seawall::BoxError>(Response::new(Body::default()))
//!     });
//! # fn check<Req>(_: impl tower::Service<Req>) {}
//! # check::<Request<Body>>(client);
//! ```
//!
//! Or give both sides the same body, with `MapResponseBodyLayer` of tower-http and a boxed body.
