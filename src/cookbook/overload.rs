//! Recipes for upstreams that are down, or about to be.
//!
//! # Serve something else while the upstream is down
//!
//! An open circuit is an error that can be told from others, at once and without a request. What you serve in its place is yours.
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
//! # See the circuits, and force one
//!
//! The layer's handle sees every circuit, as soon as there was a call for it. Forced open, it rejects until it is released: before a
//! migration, say. What happened is at hand for a status page.
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
//!     let now = circuit.snapshot();
//!     println!("{:?}: {:?}, {} of {} calls failed", circuit.key(), now.state(), now.failures(), now.calls());
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
//! # Try a breaker without letting it reject
//!
//! In shadow it counts, changes its state and tells of it in log and metrics, but lets every call pass:
//!
//! ```
//! use seawall::{circuit_breaker::CircuitBreakerLayer, standard::StandardLayer};
//!
//! let layer = StandardLayer::new("billing").circuit_breaker(CircuitBreakerLayer::new().dry_run(true));
//! # let _ = layer;
//! ```
//!
//! # Spread calls over several servers
//!
//! tower's `balance` picks the less loaded of two. A breaker around each server, which is *not ready* while it is open, makes the
//! balancer pass it over; a retry around the balancer then meets another server. So the stack outside has no breaker of its own. A
//! server that fails at once looks idle, and attracts calls until its circuit opens: let a few failures in a row be enough.
//!
//! ```
//! # use http::{Request, Response};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # let server = |port: u16| tower::service_fn(move |_: Request<seawall::retry::ReplayBody<Body>>| async move {
//! #     tokio::task::yield_now().await;
//! #     match port {
//! #         8081 => Err(seawall::BoxError::from(std::io::Error::from(std::io::ErrorKind::ConnectionRefused))),
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
//!         .consecutive_failures(NonZeroU32::new(3))
//!         .open_behavior(OpenBehavior::Backpressure);
//!     PendingRequests::new(breaker.layer(server(port)), CompleteOnResponse::default())
//! });
//! let client = ServiceBuilder::new()
//!     .layer(StandardLayer::new("billing").circuit_breaker(None))
//!     // A balancer is not `Clone`; a queue in front of it is.
//!     .buffer(64)
//!     .service(Balance::new(ServiceList::new(servers)));
//!
//! // Nothing listens on 8081.
//! for _ in 0..50 {
//!     let request = Request::get("http://billing/").body(Body::default())?;
//!     assert!(client.clone().oneshot(request).await.is_ok());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Keep a slow upstream from being buried
//!
//! When an upstream slows down, calls pile up, and in the end it works on requests that nobody waits for any more. A bound on how
//! many are under way refuses the rest at once, with 503 and a short `Retry-After` in a gateway. Begin a little above what it can do
//! at once: calls a second times the seconds that one takes. Or let it find the number, by
//! [`InFlightLimitLayer::adaptive`](crate::in_flight::InFlightLimitLayer::adaptive), in a file `in_flight = "adaptive"`; the metric
//! `seawall_in_flight_limit` says what it has come to.
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
