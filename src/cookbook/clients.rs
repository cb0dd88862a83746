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
//! use seawall::standard::StandardLayer;
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
//! # Build requests as reqwest does, and read responses so
//!
//! `seawall::reqwest::Client` takes and gives types of `http`, and reqwest's own convert to them and back: its builder with `.json()`
//! (reqwest's feature `json`) and `.bearer_auth()` on one side, `.json()` and `.text()` on the other.
//!
//! ```
//! # #[cfg(all(feature = "reqwest-0_13", feature = "test-util"))] {
//! use http::Request;
//! use seawall::standard::StandardLayer;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # use seawall::test_util::{FlakyUpstream, Step};
//! # let upstream = FlakyUpstream::start([Step::status(502), Step::ok("{\"total\":50}")]).await?;
//! # let url = upstream.url("/");
//! let client = ServiceBuilder::new()
//!     .layer(StandardLayer::new("billing"))
//!     .service(seawall::reqwest::Client::build(reqwest::Client::builder())?);
//!
//! // Only to build requests; it sends none.
//! let builder = reqwest::Client::new();
//! let order = serde_json::json!({ "item": "cake" });
//! let request: Request<reqwest::Body> = builder.put(url).json(&order).build()?.try_into()?;
//!
//! // 502 at first.
//! let response = client.oneshot(request).await?;
//! let response = reqwest::Response::from(response.map(reqwest::Body::wrap));
//! assert_eq!(response.json::<serde_json::Value>().await?["total"], 50);
//! # assert_eq!(upstream.received()[1].body(), br#"{"item":"cake"}"#);
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```
//!
//! # Use one hyper client for bodies of several types
//!
//! A client of hyper has one type of body. Boxed, all become that one: so GETs without a body and uploads that stream share its pool
//! of connections, and the stack's budgets and circuits.
//!
//! ```
//! # #[cfg(feature = "hyper-util")] {
//! use bytes::Bytes;
//! use http::Request;
//! use http_body_util::{BodyExt, Empty, Full, combinators::UnsyncBoxBody};
//! use hyper_util::{client::legacy::Client, rt::TokioExecutor};
//! use seawall::{standard::StandardLayer, BoxError};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # let upstream = scripted_origin::Origin::start(scripted_origin::Script::Healthy).await?;
//! # let url = format!("http://{}/", upstream.addr());
//! type Body = UnsyncBoxBody<Bytes, BoxError>;
//!
//! let client = ServiceBuilder::new()
//!     .layer(StandardLayer::new("billing"))
//!     .service(Client::builder(TokioExecutor::new()).build_http());
//!
//! let get = Request::get(&url).body(Body::new(Empty::new().map_err(BoxError::from)))?;
//! let put = Request::put(&url).body(Body::new(Full::from("50 Euro").map_err(BoxError::from)))?;
//! for request in [get, put] {
//!     let response = client.clone().oneshot(request).await?;
//!     assert_eq!(response.status(), 200);
//!     response.into_body().collect().await?;
//! }
//! # assert_eq!(upstream.connections(), 1);
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```
//!
//! # Put it around tonic
//!
//! A gRPC call fails by its `grpc-status`, which [`GrpcClassifier`](crate::classify::GrpcClassifier) reads. Every call is a POST, so only what was
//! not processed is sent again, unless you say that more may be.
//!
//! ```
//! # #[cfg(feature = "tonic-0_14")] {
//! use seawall::{classify::GrpcClassifier, retry::RetryLayer, standard::StandardLayer};
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
//!             .retry(RetryLayer::new().retry_all_methods()),
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
//! use seawall::{
//!     circuit_breaker::CircuitBreakerLayer, in_flight::InFlightLimitLayer, retry::RetryLayer,
//!     standard::StandardLayer,
//! };
//!
//! # let (retries, breaks, most) = (Some(2), false, NonZeroU32::new(64));
//! let layer = StandardLayer::new("billing")
//!     .retry(retries.map(|retries: u32| RetryLayer::new().max_retries(retries)))
//!     .circuit_breaker(breaks.then(CircuitBreakerLayer::new))
//!     .in_flight(most.map(InFlightLimitLayer::new));
//! # let _ = layer;
//! ```
//!
//! # Have another policy for each upstream, from a file
//!
//! With the feature `config`, whoever runs the service says how long it waits and how often it tries, by what a URL begins with; the
//! longest prefix wins. A new file is taken while calls are under way, and one that is not right in every part changes nothing.
//!
//! ```
//! # #[cfg(feature = "config")] {
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! use seawall::{config::{Config, ConfiguredLayer}, standard::StandardLayer};
//! use tower::Layer;
//!
//! # fn main() -> Result<(), seawall::config::ConfigError> {
//! // Or `Config::from_file("/etc/billing/policies.toml")?`.
//! let config = Config::from_toml(
//!     r#"
//!     [default.timeouts]
//!     attempt = "2s"
//!     total = "5s"
//!
//!     [[route]]
//!     prefix = "https://api.example.com/reports"
//!     timeouts = { attempt = "1m", total = "2m" }
//!     retry = { total = 1 }
//!     "#,
//! )?;
//! let layer = ConfiguredLayer::new(StandardLayer::new("billing"), config);
//! let handle = layer.handle();
//! # let client = layer.layer(tower::service_fn(async |_: http::Request<seawall::retry::ReplayBody<Body>>| {
//! #     Ok::<_, seawall::BoxError>(http::Response::new(Body::default()))
//! # }));
//! # fn check<Req>(_: impl tower::Service<Req>) {}
//! # check::<http::Request<Body>>(client);
//!
//! // On SIGHUP, say:
//! handle.replace(&Config::from_toml("default.retry = 'off'")?);
//! assert!(Config::from_toml("default.retires = 'off'").is_err());
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
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
//! use seawall::{retry::ReplayBody, standard::{ResponseBody, Standard, StandardLayer}, BoxError};
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
