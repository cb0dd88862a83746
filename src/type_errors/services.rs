//! Services, errors and requests that a layer or a router does not accept.
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
