//! Recipes for clients.
//!
//! # Put it around reqwest
//!
//! reqwest's own service takes requests that no HTTP layer can look into; `seawall::reqwest::Client` (feature `reqwest-0_13`) takes
//! those of `http`. `build` switches off what would work against the stack: reqwest's redirects, after which nothing is proven any
//! more, and its own repeating.
//!
//! ```
//! # #[cfg(feature = "reqwest-0_13")] {
//! use bytes::Bytes;
//! use http::Request;
//! use http_body_util::Full;
//! use seawall::StandardLayer;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # let upstream = scripted_origin::Origin::start(scripted_origin::Script::Once(502, "")).await?;
//! # let url = format!("http://{}/", upstream.addr());
//! let client = ServiceBuilder::new()
//!     .layer(StandardLayer::new("billing"))
//!     .service(seawall::reqwest::Client::build(reqwest::Client::builder())?);
//!
//! // 502 at first.
//! let response = client.oneshot(Request::get(url).body(Full::<Bytes>::default())?).await?;
//! assert_eq!(response.status(), 200);
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```
//!
//! # Put it around tonic
//!
//! A gRPC call fails by its `grpc-status`, which [`GrpcClassifier`](crate::GrpcClassifier) reads. Every call is a POST, so only what was
//! not processed is sent again, unless you say that more may be.
//!
//! ```
//! # #[cfg(feature = "tonic-0_14")] {
//! use seawall::{GrpcClassifier, RetryLayer, StandardLayer};
//! use tonic::transport::Endpoint;
//! use tower::ServiceBuilder;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! let channel = Endpoint::from_static("http://127.0.0.1:50051").connect_lazy();
//! let service = ServiceBuilder::new()
//!     .layer(
//!         StandardLayer::new("greeter")
//!             .classifier(GrpcClassifier::new())
//!             .retry(RetryLayer::new().any_method()),
//!     )
//!     .service(seawall::tonic::Client::new(channel));
//!
//! // As generated code does it: `GreeterClient::new(service)`.
//! let mut client = tonic::client::Grpc::new(service);
//! # assert!(client.ready().await.is_ok());
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```
//!
//! # Leave a part out by a setting
//!
//! Setters take a part or `None`, and do not change the type of the stack, so a part can hang on what a file or the environment says:
//!
//! ```
//! use std::num::NonZeroU32;
//! use seawall::{CircuitBreakerLayer, InFlightLimitLayer, RetryLayer, StandardLayer};
//!
//! # let (retries, breaks, most) = (Some(2), false, NonZeroU32::new(64));
//! let layer = StandardLayer::new("billing")
//!     .retry(retries.map(|retries: u32| RetryLayer::new().total(retries)))
//!     .circuit_breaker(breaks.then(CircuitBreakerLayer::new))
//!     .in_flight(most.map(InFlightLimitLayer::new));
//! # let _ = layer;
//! ```
//!
//! # Name the type of a client
//!
//! In a struct, write it out, or have it boxed by tower, which costs an allocation a call:
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use hyper::body::Incoming;
//! use hyper_util::{client::legacy::{Client, connect::HttpConnector}, rt::TokioExecutor};
//! use seawall::{BoxError, StandardLayer, retry::ReplayBody, standard::{ResponseBody, Standard}};
//! use tower::{Layer, ServiceExt, util::BoxCloneSyncService};
//!
//! struct Billing {
//!     client: Standard<Client<HttpConnector, ReplayBody<Full<Bytes>>>>,
//! }
//!
//! struct Boxed {
//!     client: BoxCloneSyncService<Request<Full<Bytes>>, Response<ResponseBody<Incoming>>, BoxError>,
//! }
//!
//! let hyper = Client::builder(TokioExecutor::new()).build_http();
//! let billing = Billing { client: StandardLayer::new("billing").layer(hyper) };
//! let boxed = Boxed { client: BoxCloneSyncService::new(billing.client) };
//! # let _ = boxed.client;
//! ```
