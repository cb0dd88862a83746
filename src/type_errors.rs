//! Common type errors: what the compiler says when a stack is put together wrongly, why, and what mends it.
//!
//! The texts are those of rustc 1.95, cut where it says `…`; tests hold this page to them.
//!
//! # First get the compiler to say why
//!
//! At a method call on a stack that does not fit together, it names no reason:
//!
//! ```text
//! error[E0599]: the method `oneshot` exists for struct `Logging<…>`, but its trait bounds were not satisfied
//! …doesn't satisfy `_: Service<_>` or `_: ServiceExt<_>`
//! ```
//!
//! Hand the stack to a function that wants a service of your requests, and it does. This one is all it takes; delete it when
//! you are done:
//!
//! ```
//! fn check<Req>(_: impl tower::Service<Req>) {}
//! # use seawall::standard::StandardLayer;
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # let client = tower::ServiceBuilder::new().layer(StandardLayer::new("billing")).service_fn(
//! #     async |_: http::Request<seawall::retry::ReplayBody<Body>>| Ok::<_, seawall::BoxError>(http::Response::new(Body::default())),
//! # );
//!
//! check::<http::Request<Body>>(client);
//! ```
//!
//! # The client takes another type of body
//!
//! ```text
//! error[E0277]: the trait bound `…Client<…HttpConnector, …Empty<…Bytes>>: Service<…Request<ReplayBody<…Empty<…Bytes>>>>` is not satisfied
//! ```
//!
//! **Why.** A request that may be sent again needs a body that can be read again. So a client inside of
//! [`RetryLayer`](crate::retry::RetryLayer) or [`StandardLayer`](crate::standard::StandardLayer) receives
//! [`ReplayBody<B>`](crate::retry::ReplayBody), where `B` is the body that you send.
//!
//! **Mend.** Do not name the client's body type; it is then inferred. Or name it `ReplayBody<B>`:
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
//! A client that takes one type only is given it by `send_as`, with a function that makes it of any `ReplayBody`:
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
//! For tonic that is `.map_body(tonic::body::Body::new)`, or `seawall::tonic::Client` around the channel; for reqwest there is
//! `seawall::reqwest::Client`, which takes any body.
//!
//! # The client is not `Clone`
//!
//! ```text
//! error[E0277]: the trait bound `NotClone: Clone` is not satisfied
//! …required for `StandardLayer` to implement `Layer<NotClone>`
//! ```
//!
//! **Why.** A retry makes its first attempt with the service that was ready and later ones with clones of it; the circuit
//! breaker and the in-flight limit put a clone in place of one whose readiness was not used.
//!
//! **Mend.** Derive `Clone`, with what is inside behind an `Arc`. Where that cannot be, such as with one hyper connection, put
//! tower's `Buffer` in between, a queue whose handles are `Clone`:
//!
//! ```
//! # use http::{Request, Response};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # struct NotClone;
//! # impl<B> tower::Service<Request<B>> for NotClone {
//! #     type Response = Response<Body>;
//! #     type Error = seawall::BoxError;
//! #     type Future = std::future::Ready<Result<Response<Body>, seawall::BoxError>>;
//! #     fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), seawall::BoxError>> {
//! #         std::task::Poll::Ready(Ok(()))
//! #     }
//! #     fn call(&mut self, _: Request<B>) -> Self::Future { std::future::ready(Ok(Response::default())) }
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
//! # A router wants `Infallible`
//!
//! ```text
//! error[E0277]: the trait bound `Infallible: From<Box<(dyn std::error::Error + Send + Sync + 'static)>>` is not satisfied
//! …required by a bound in `Router::<S>::layer`
//! ```
//!
//! and of a service of its own, at `fallback_service`, `route_service` or `nest_service`:
//!
//! ```text
//! error[E0271]: type mismatch resolving `<Logging<…> as Service<Request<Body>>>::Error == Infallible`
//! …expected `Infallible`, found `Box<dyn Error + Send + Sync>`
//! …required by a bound in `Router::<S>::fallback_service`
//! ```
//!
//! **Why.** axum sends what its services return, so they may not fail; but a timeout, an open circuit or a refused connection
//! is an error.
//!
//! **Mend.** Turn errors into answers, around everything that makes them: [`StandardLayer::gateway`](crate::standard::StandardLayer::gateway) in
//! place of `new`, or [`ErrorResponseLayer`](crate::error_response::ErrorResponseLayer) above the other layers. axum's `HandleErrorLayer` is not needed.
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
//! # The service's error is no `Error`
//!
//! ```text
//! error[E0277]: the trait bound `Failed: std::error::Error` is not satisfied
//! …required for `Failed` to implement `Into<Box<(dyn std::error::Error + Send + Sync + 'static)>>`
//! ```
//!
//! **Why.** A layer that makes errors of its own returns them and those of the service inside as one type,
//! [`BoxError`](crate::BoxError), so the latter must go into that: `Error + Send + Sync + 'static`, or a `String`.
//!
//! **Mend.** Implement `Error` for it, and let `source()` lead to what caused it: then it is classified by that.
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
//!     .service_fn(async |_: Request<ReplayBody<Body>>| Err::<Response<Body>, _>(Failed(io::ErrorKind::TimedOut.into())));
//! # fn check<Req>(_: impl tower::Service<Req>) {}
//! # check::<Request<Body>>(client);
//! ```
//!
//! # A closure whose argument has no type
//!
//! ```text
//! error[E0282]: type annotations needed for `&_`
//! help: consider giving this closure parameter an explicit type, where the placeholders `_` are specified
//! ```
//!
//! **Why.** When the closure is compiled, nothing has said yet what requests the layer will see.
//!
//! **Mend.** Write it. The type of the body may be left to inference:
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
//! # let service = tower::Layer::layer(&layer, tower::service_fn(async |_: Request<Body>| Ok::<_, seawall::BoxError>(())));
//! # fn check<Req>(_: impl tower::Service<Req>) {}
//! # check::<Request<Body>>(service);
//! ```
//!
//! The same goes for `per_request_key` and for [`classify_fn`](crate::classify::classify_fn).
//!
//! # A function of the URL that borrows from it
//!
//! ```text
//! error: lifetime may not live long enough
//! …returning this value requires that `'1` must outlive `'2`
//! ```
//!
//! **Why.** Of a closure that stands by itself the compiler does not see that what it returns lives as long as what it was given.
//!
//! **Mend.** Write it where it is used, or as a function:
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
//! **Why.** Closures are not classifiers by themselves: were they, their arguments could not be inferred anywhere.
//!
//! **Mend.** Wrap it in [`classify_fn`](crate::classify::classify_fn):
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
//!     .service_fn(async |_: Request<Body>| Ok::<_, seawall::BoxError>(Response::new(Body::default())));
//! # fn check<Req>(_: impl tower::Service<Req>) {}
//! # check::<Request<Body>>(client);
//! ```
//!
//! # A classifier for one type of body, in a stack
//!
//! ```text
//! error[E0631]: type mismatch in closure arguments
//! …expected closure signature `for<'a, 'b> fn(Result<&'a Response<…ResponseBody<…>…>, &'b (dyn std::error::Error + 'static)>) -> _`
//! ```
//!
//! **Why.** Layers wrap the body of a response, so each of them sees another type. A closure has one.
//!
//! **Mend.** Implement [`Classify`](crate::classify::Classify) for all of them, on a type of yours:
//!
//! ```
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! use std::error::Error;
//! use http::Response;
//! use seawall::{classify::{Classify, HttpClassifier}, standard::StandardLayer, Cause, Failure};
//!
//! /// What fails says so in a header.
//! #[derive(Clone, Debug)]
//! struct ByHeader;
//!
//! impl<B> Classify<Response<B>> for ByHeader {
//!     fn classify(&self, outcome: Result<&Response<B>, &(dyn Error + 'static)>) -> Option<Failure> {
//!         if outcome.is_ok_and(|response| response.headers().contains_key("x-failed")) {
//!             return Some(Failure::new(Cause::Overloaded));
//!         }
//!         HttpClassifier::new().classify(outcome)
//!     }
//! }
//!
//! let layer = StandardLayer::new("billing").classifier(ByHeader);
//! # let service = tower::Layer::layer(&layer, tower::service_fn(
//! #     async |_: http::Request<seawall::retry::ReplayBody<Body>>| Ok::<_, seawall::BoxError>(Response::new(Body::default())),
//! # ));
//! # fn check<Req>(_: impl tower::Service<Req>) {}
//! # check::<http::Request<Body>>(service);
//! ```
//!
//! # A service that is not HTTP
//!
//! ```text
//! error[E0277]: requests of type `String` cannot be kept to be sent again by `HttpCallAdapter`
//! error[E0277]: `HttpClassifier` does not classify responses of type `String`
//! error[E0277]: responses of type `String` cannot be given up for a retry by `HttpCallAdapter`
//! error[E0277]: a response of type `String` has no body whose end could be waited for
//! …UriKeyFn<…>` gives no key to requests of type `String`
//! ```
//!
//! **Why.** Retry, timeout, breaker and in-flight limit take any service; their defaults are for HTTP.
//!
//! **Mend.** Say what takes the place of the defaults:
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
