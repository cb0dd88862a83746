//! Bodies of another type than the compiler expects.
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
