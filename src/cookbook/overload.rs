//! Recipes for upstreams that are down or overloaded.
//!
//! # Serve a fallback while the upstream is down
//!
//! An open circuit fails calls immediately, without a request, and with a distinct error type. Your
//! code chooses the fallback.
//!
//! ```
//! # use http::{Request, Response};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # let upstream = tower::service_fn(async |_: Request<seawall::retry::ReplayBody<Body>>| {
//! #     Ok::<_, seawall::BoxError>(Response::new(Body::from("fresh")))
//! # });
//! use seawall::{circuit_breaker::CircuitOpen, find_source, standard::StandardLayer};
//! use tower::{Layer, ServiceExt};
//!
//! let layer = StandardLayer::new("prices");
//! let client = layer.layer(upstream);
//! # client.clone().oneshot(Request::get("http://prices/").body(Body::default())?).await?;
//! # layer.circuits().get("prices").ok_or("no circuit")?.force_open();
//!
//! let price = match client.oneshot(Request::get("http://prices/").body(Body::default())?).await {
//!     Ok(response) => format!("status {}", response.status()),
//!     Err(error) if find_source::<CircuitOpen>(&*error).is_some() => "from the cache".into(),
//!     Err(error) => return Err(error),
//! };
//! assert_eq!(price, "from the cache");
//! # Ok(())
//! # }
//! ```
//!
//! # Inspect circuits and force one open
//!
//! The layer's handle lists every circuit that has had a call. A circuit that is forced open
//! rejects calls until it is released, for example during a migration. Its snapshot is useful for a
//! status page.
//!
//! ```
//! # use http::{Request, Response};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # let upstream = tower::service_fn(async |_: Request<seawall::retry::ReplayBody<Body>>| {
//! #     Ok::<_, seawall::BoxError>(Response::new(Body::default()))
//! # });
//! use seawall::{circuit_breaker::State, standard::StandardLayer};
//! use tower::{Layer, ServiceExt};
//!
//! let layer = StandardLayer::new("all");
//! let circuits = layer.circuits();
//! let client = layer.layer(upstream);
//! client.oneshot(Request::get("http://billing:8080/").body(Body::default())?).await?;
//!
//! for circuit in circuits.all() {
//!     let snapshot = circuit.snapshot();
//!     let (failures, calls) = (snapshot.failures(), snapshot.calls());
//!     println!("{:?}: {:?}, {failures} of {calls} calls failed", circuit.key(), snapshot.state());
//! }
//! let billing = circuits.get("billing:8080").ok_or("no call yet")?;
//! billing.force_open();
//! assert_eq!(billing.state(), State::ForcedOpen);
//! billing.release();
//! assert_eq!(billing.state(), State::Closed);
//! # Ok(())
//! # }
//! ```
//!
//! # Try a breaker in dry-run mode
//!
//! In dry-run mode the breaker counts, changes its state, and reports it in logs and metrics, but
//! admits every call:
//!
//! ```
//! use seawall::{circuit_breaker::CircuitBreakerLayer, standard::StandardLayer};
//!
//! let breaker = CircuitBreakerLayer::new().dry_run(true);
//! let layer = StandardLayer::new("billing").circuit_breaker(breaker);
//! # let _ = layer;
//! ```
//!
//! # Spread calls over several servers
//!
//! tower's `balance` picks the less loaded of two random servers. Put a breaker around each server,
//! and let it be *not ready* while it is open: the balancer then skips the server. A retry around
//! the balancer reaches another server. The outer stack therefore has no breaker of its own.
//!
//! A server that fails immediately appears idle and attracts calls until its circuit opens. Open
//! the circuit after a few consecutive failures.
//!
//! ```
//! # use http::{Request, Response};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # type ClientBody = seawall::retry::ReplayBody<Body>;
//! # use std::io::{Error, ErrorKind::ConnectionRefused};
//! # let server = |port: u16| tower::service_fn(move |_: Request<ClientBody>| async move {
//! #     tokio::task::yield_now().await;
//! #     match port {
//! #         8081 => Err(seawall::BoxError::from(Error::from(ConnectionRefused))),
//! #         _ => Ok(Response::new(Body::from("hi"))),
//! #     }
//! # });
//! use std::num::NonZeroU32;
//! use seawall::{circuit_breaker::{CircuitBreakerLayer, OpenBehavior}, standard::StandardLayer};
//! use tower::{
//!     Layer, ServiceBuilder, ServiceExt,
//!     balance::p2c::Balance,
//!     discover::ServiceList,
//!     load::{CompleteOnResponse, PendingRequests},
//! };
//!
//! let servers = [8081, 8082, 8083].map(|port| {
//!     let breaker = CircuitBreakerLayer::new()
//!         .consecutive_failures(NonZeroU32::new(3).unwrap())
//!         .open_behavior(OpenBehavior::Backpressure);
//!     PendingRequests::new(breaker.layer(server(port)), CompleteOnResponse::default())
//! });
//! let client = ServiceBuilder::new()
//!     .layer(StandardLayer::new("billing").without_circuit_breaker())
//!     // A balancer is not `Clone`, but a buffer around it is.
//!     .buffer(64)
//!     .service(Balance::new(ServiceList::new(servers)));
//!
//! // No server is listening on 8081.
//! for _ in 0..50 {
//!     let request = Request::get("http://billing/").body(Body::default())?;
//!     assert!(client.clone().oneshot(request).await.is_ok());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Protect a slow upstream from overload
//!
//! When an upstream slows down, calls accumulate, and it finally works on requests whose callers
//! have already given up. A limit on calls in flight rejects the rest immediately. In a gateway the
//! rejection is a 503 with a short `Retry-After`.
//!
//! Start slightly above the upstream's capacity: calls per second times seconds per call. Or let
//! the layer find the limit, with
//! [`InFlightLimitLayer::adaptive`](crate::in_flight::InFlightLimitLayer::adaptive) or `in_flight =
//! "adaptive"` in a file. The metric `seawall_in_flight_limit` shows the current limit.
//!
//! ```
//! use std::num::NonZeroU32;
//! use seawall::{in_flight::InFlightLimitLayer, standard::StandardLayer};
//!
//! let layer = StandardLayer::new("billing")
//!     .in_flight(InFlightLimitLayer::new(NonZeroU32::new(64).ok_or("zero")?));
//! # let _ = layer;
//! # Ok::<(), &str>(())
//! ```
