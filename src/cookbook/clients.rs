//! Recipes for clients.
//!
//! # Wrap reqwest
//!
//! HTTP layers cannot inspect the requests of reqwest's own service. `seawall::reqwest::Client`
//! (feature `reqwest-0_13`) takes requests of the `http` crate. `build` disables two features of
//! reqwest that interfere with the stack: its redirects, after which nothing is provably
//! unprocessed, and its own retries. If you enable HTTP/2, set its pings: see *Silent connections* in
//! `seawall::reqwest`.
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
//! // The first attempt gets a 502.
//! let response = client.oneshot(Request::get(url).body(Full::<Bytes>::default())?).await?;
//! assert_eq!(response.status(), 200);
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```
//!
//! # Convert between reqwest and http types
//!
//! `seawall::reqwest::Client` takes and returns types of `http`. reqwest's own types convert to
//! them and back. Build requests with reqwest's `.json()` (its feature `json`) and
//! `.bearer_auth()`, and read responses with `.json()` and `.text()`.
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
//! // Only builds requests and sends none.
//! let builder = reqwest::Client::new();
//! let order = serde_json::json!({ "item": "cake" });
//! let request: Request<reqwest::Body> = builder.put(url).json(&order).build()?.try_into()?;
//!
//! // The first attempt gets a 502.
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
//! # Use one hyper client for several body types
//!
//! A hyper client has one body type. Box the bodies to give them all the same type. GETs without a
//! body and streaming uploads then share the client's connection pool and the stack's budgets and
//! circuits.
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
//! # Wrap tonic
//!
//! A gRPC call fails with a `grpc-status`, which
//! [`GrpcClassifier`](crate::classify::GrpcClassifier) reads. Every call is a POST, so only calls
//! that were not processed are retried, unless you allow more. Set pings, so that the channel
//! replaces a connection whose peer has disappeared. The server must permit the interval.
//!
//! ```
//! # #[cfg(feature = "tonic-0_14")] {
//! use std::time::Duration;
//! use seawall::{
//!     classify::GrpcClassifier, retry::RetryLayer, standard::StandardLayer, tonic::StatusLayer,
//! };
//! use tonic::transport::Endpoint;
//! use tower::ServiceBuilder;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! let channel = Endpoint::from_static("http://127.0.0.1:50051")
//!     .http2_keep_alive_interval(Duration::from_secs(10))
//!     .keep_alive_timeout(Duration::from_secs(5))
//!     .connect_lazy();
//! let service = ServiceBuilder::new()
//!     // Gives a timeout, an open circuit and a limit their status codes.
//!     .layer(StatusLayer::new())
//!     .layer(
//!         StandardLayer::new("greeter")
//!             .classifier(GrpcClassifier::new())
//!             .retry(RetryLayer::new().retry_all_methods()),
//!     )
//!     .service(seawall::tonic::Client::new(channel));
//!
//! // Generated code does the same: `GreeterClient::new(service)`.
//! let mut client = tonic::client::Grpc::new(service);
//! # assert!(client.ready().await.is_ok());
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```
//!
//! # Replace dead HTTP/2 connections
//!
//! Over HTTP/2, all calls to a host share a connection. If its peer disappears without closing it,
//! every attempt times out, and so does every probe of the circuit. Set pings, and let a timeout on
//! a silent connection remove it from the pool. `seawall::hyper_util` explains both.
//!
//! ```
//! # #[cfg(all(feature = "hyper-util", feature = "h2"))] {
//! use std::time::Duration;
//! use bytes::Bytes;
//! use http_body_util::Full;
//! use hyper_rustls::HttpsConnectorBuilder;
//! use hyper_util::{
//!     client::legacy::Client,
//!     rt::{TokioExecutor, TokioTimer},
//! };
//! use seawall::{hyper_util::{PoisonOnTimeout, TrackReuse}, standard::StandardLayer};
//! use tower::ServiceBuilder;
//!
//! # let tls = rustls::ClientConfig::builder()
//! #     .with_root_certificates(rustls::RootCertStore::empty())
//! #     .with_no_client_auth();
//! let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only();
//! let hyper = Client::builder(TokioExecutor::new())
//!     .timer(TokioTimer::new())
//!     .http2_keep_alive_interval(Duration::from_secs(10))
//!     .http2_keep_alive_timeout(Duration::from_secs(5))
//!     .http2_keep_alive_while_idle(true)
//!     .build(TrackReuse::new(connector.enable_all_versions().build()));
//! let client = ServiceBuilder::new()
//!     .layer(StandardLayer::new("billing"))
//!     .service(PoisonOnTimeout::new(hyper));
//! # fn check<Req>(_: impl tower::Service<Req>) {}
//! # check::<http::Request<Full<Bytes>>>(client);
//! # }
//! ```
//!
//! # Disable a layer at run time
//!
//! Neither the setters nor the `without_…` methods change the type of the stack. A setting from a
//! file or the environment can therefore disable a layer:
//!
//! ```
//! use std::num::NonZeroU32;
//! use seawall::{
//!     circuit_breaker::CircuitBreakerLayer, in_flight::InFlightLimitLayer, retry::RetryLayer,
//!     standard::StandardLayer,
//! };
//!
//! # let (max_retries, breaker_enabled) = (Some(2_u32), false);
//! # let max_in_flight = NonZeroU32::new(64);
//! let mut layer = StandardLayer::new("billing").circuit_breaker(CircuitBreakerLayer::new());
//! layer = match max_retries {
//!     Some(max) => layer.retry(RetryLayer::new().max_retries(max)),
//!     None => layer.without_retry(),
//! };
//! if !breaker_enabled {
//!     layer = layer.without_circuit_breaker();
//! }
//! if let Some(max) = max_in_flight {
//!     layer = layer.in_flight(InFlightLimitLayer::new(max));
//! }
//! # let _ = layer;
//! ```
//!
//! # Load a policy per upstream from a file
//!
//! With the feature `config`, an operator can set timeouts and retries per URL prefix. The longest
//! prefix wins. A new file takes effect while calls are in flight. An invalid file is rejected as a
//! whole.
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
//! # type Request = http::Request<seawall::retry::ReplayBody<Body>>;
//! # let client = layer.layer(tower::service_fn(async |_: Request| {
//! #     Ok::<_, seawall::BoxError>(http::Response::new(Body::default()))
//! # }));
//! # fn check<Req>(_: impl tower::Service<Req>) {}
//! # check::<http::Request<Body>>(client);
//!
//! // For example on SIGHUP:
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
//! Write out the type of the client in a struct, or box the client with tower, which costs one
//! allocation per call:
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
//! type BoxedResponse = Response<ResponseBody<Incoming>>;
//!
//! struct Boxed {
//!     client: BoxCloneSyncService<Request<Full<Bytes>>, BoxedResponse, BoxError>,
//! }
//!
//! let hyper = Client::builder(TokioExecutor::new()).build_http();
//! let billing = Billing { client: StandardLayer::new("billing").layer(hyper) };
//! let boxed = Boxed { client: BoxCloneSyncService::new(billing.client) };
//! # let _ = boxed.client;
//! ```
