//! Stops calling an upstream that is down, and finds out by itself when it is back.
//!
//! While most calls succeed, all pass and their results are counted: the circuit is *closed*. When too many fail it *opens*:
//! calls are rejected at once with [`CircuitOpen`], so that callers need not wait for what will not come, and the upstream
//! can recover. After a while it is *half-open*: a few calls, the *probes*, pass, and by their results it closes or opens
//! again.
//!
#![doc = include_str!("states.svg")]
//!
//! Works on any service, HTTP or not. Not covered: slowing down before anything fails; for that, bound what is under way by
//! [`InFlightLimitLayer`](crate::in_flight::InFlightLimitLayer).
//!
//! # Example
//!
//! ```
//! # use http::{Request, Response};
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), seawall::BoxError> {
//! # let get = || Request::get("http://upstream/").body(Body::default());
//! use seawall::{circuit_breaker::{CircuitBreakerLayer, CircuitOpen, State}, find_source};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! let breaker = CircuitBreakerLayer::new();
//! let circuit = breaker.handle();
//! let client = ServiceBuilder::new()
//!     .layer(breaker)
//!     .service_fn(async |_: Request<Body>| {
//!         Err::<Response<Body>, _>(std::io::Error::from(std::io::ErrorKind::ConnectionRefused))
//!     });
//!
//! for _ in 0..20 {
//!     client.clone().oneshot(get()?).await.unwrap_err();
//! }
//! assert_eq!(circuit.state(), State::Open);
//!
//! let error = client.oneshot(get()?).await.unwrap_err();
//! let open = find_source::<CircuitOpen>(&*error).unwrap();
//! assert!(open.to_string().starts_with("circuit open: connection refused"));
//! # Ok(())
//! # }
//! ```
//!
//! # When what happens
//!
//! | when | then |
//! |---|---|
//! | at a failure, half of the calls of the last 10 s or more have failed, and there were 20 | it opens |
//! | at a failure, every call has failed for 1 s or more, and there were 20 | it opens |
//! | [so many](CircuitBreakerLayer::consecutive_failures) calls in a row have failed, if that is set | it opens |
//! | it is open | calls are rejected; the inner service is not even asked whether it is ready |
//! | it has been open for 2 s, less by chance up to a fifth; longer, up to 30 s, if the upstream said `Retry-After` | it is half-open at the next call |
//! | it is half-open | at most 5 calls pass, the others are rejected |
//! | the probes that succeeded are so many that their failures must stay below half | it closes, and counts from nothing |
//! | those that failed are so many that they cannot | it opens again, for half as long again, up to 5 s |
//! | a probe fails, with [`failure_ratio(None)`](CircuitBreakerLayer::failure_ratio) | it opens again; to close it, all have to succeed |
//! | a probe is dropped | its place is free at once |
//! | a probe takes longer than 30 s | its place is free; its result still counts |
//! | a result comes after the state has changed | it counts for nothing |
//! | a call is dropped without a result, or the classifier or `failure_predicate` panics | it counts as neither success nor failure, unless slow calls count and it was slow |
//! | the inner service panics, or fails to become ready | that is a failure; the latter if there is one circuit for all requests |
//!
//! # What counts as a failure
//!
//! | outcome | counts as |
//! |---|---|
//! | no connection, closed, reset, timed out, malformed or incomplete response, an error that nobody knows | failure |
//! | 502, 503, 504, 520 to 530 | failure |
//! | another status of 500 or more that a gateway answered by itself | failure |
//! | another status of 500 or more | success, unless [`count_origin_errors`](CircuitBreakerLayer::count_origin_errors) |
//! | any other status | success: it answered |
//! | a refusal of our own, a faulty request, a call given up | neither |
//!
//! [`failure_predicate`](CircuitBreakerLayer::failure_predicate) replaces all of it. What the causes are is for the classifier to say.
//!
//! # Readiness
//!
//! `poll_ready` never returns the rejection, which would end a client for good under tower's `Buffer` or `Balance`: the
//! *call* is rejected. What it said is remembered, so a call after "ready, to be rejected" is rejected even if the circuit
//! has closed meanwhile. See [`open_behavior`](CircuitBreakerLayer::open_behavior) for balancers.
//!
//! # Clone
//!
//! The circuits are made with the layer, and shared by all its services and clones.
//!
//! # Cancel safety
//!
//! Dropping the future drops the inner future and gives a probe's place back.
//!
//! # Order
//!
//! Inside [`RetryLayer`](crate::retry::RetryLayer), so that each attempt counts and an open circuit ends the retrying; around
//! [`TimeoutLayer`](crate::timeout::TimeoutLayer), so that a timeout counts.
//!
//! Under `tower::balance` each instance has a breaker made by a layer of its own, with
//! [`open_behavior`](CircuitBreakerLayer::open_behavior)`(Backpressure)`, so that one that is down is passed over; made by clones of one layer
//! they would share a circuit. A balancer is not `Clone`: what goes around it needs `tower::buffer` between.
//!
//! # What is told
//!
//! One `tracing` event at WARN for each change of state, named `circuit`: `key`, `old`, `new`, `cause`, `calls` and
//! `failures` in the window, or in the row where nothing else counts, `refused` since it opened,
//! `generation`, one more at each change, and `dry_run`, whether it only watches. [`CircuitBreakerLayer::handle`] tells at any time.
//! The next call reports a change that a panic has caused, since a subscriber that panics as well would abort the process.
//!
//! **What an open circuit refuses has no line at INFO**, neither of the client nor of a gateway that answers 503 for it: there would
//! be thousands, all for the reason that the one line at WARN tells, and the next, when it is closed or tries, says how many there
//! were. So whoever looks for a 503 that is in no log looks for `circuit open` before it. To have a line for each:
//! `LoggingLayer::server().rejected_level(Level::Info)`, in a stack by [`access_log`](crate::standard::StandardLayer::access_log); or without a
//! change to the program the level DEBUG for `seawall::logging`. `seawall_circuit_rejections_total` counts them (feature `metrics`).
//!
//! # Differs from
//!
//! - tower-resilience, failsafe, recloser: a late result changes nothing, and the error says why the circuit opened.
//! - failsafe, recloser: half-open lets only the probes pass.
//! - tower-resilience: what succeeded before does not keep it closed for as many failures.

mod circuit;
mod consecutive;
mod error;
mod future;
mod handle;
mod layer;
mod permit;
mod probes;
mod readiness;
mod selector;
mod service;
mod settings;
mod state_machine;
mod stripe;
mod wakers;
mod window;

#[cfg(all(test, seawall_loom))]
#[path = "../../tests/loom/circuit_breaker.rs"]
mod loom;
#[cfg(all(test, not(seawall_loom)))]
#[path = "../../tests/models/circuit_breaker.rs"]
mod model;

pub(crate) use self::selector::CircuitPerKey;
pub use self::{
    error::CircuitOpen,
    future::ResponseFuture,
    handle::{Circuit, Circuits, Snapshot},
    layer::CircuitBreakerLayer,
    service::CircuitBreaker,
    settings::OpenBehavior,
    state_machine::State,
};
pub use crate::keys::by_authority;

/// Response body of [`CircuitBreaker`] with [`until_body_end`](CircuitBreakerLayer::until_body_end): the inner body as it is,
/// watched to its end.
pub type ResponseBody<B> = crate::body::ObservedBody<B, permit::Permit>;
