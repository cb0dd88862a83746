//! Stops calls to an upstream that is down, and detects when it has recovered.
//!
//! While most calls succeed, the circuit is *closed*: all calls pass and their results are counted.
//! When too many calls fail, the circuit *opens*: calls are rejected at once with [`CircuitOpen`].
//! Callers then do not wait for a response, and the upstream can recover. After a while the circuit
//! is *half-open*: a few calls, the *probes*, pass. Their results close the circuit or open it
//! again.
//!
#![doc = include_str!("states.svg")]
//!
//! The layer works on any service, HTTP or not. It does not limit an upstream that is slow but does
//! not fail: [`InFlightLimitLayer`](crate::in_flight::InFlightLimitLayer) limits the calls in
//! flight.
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
//! # Behavior
//!
//! | event | effect |
//! |---|---|
//! | a call fails, the window of 10 s has at least 20 calls, and at least half of them failed | the circuit opens |
//! | a call fails, and every call has failed for at least 1 s, and there were at least 20 | the circuit opens |
//! | [`consecutive_failures`](CircuitBreakerLayer::consecutive_failures) is set, and that number of consecutive calls failed | the circuit opens |
//! | the circuit is open | calls are rejected; the inner service is neither called nor polled for readiness |
//! | the circuit has been open for 2 s, minus up to 20 % jitter; longer, up to 30 s, if the failure has a `Retry-After` | the circuit is half-open at the next call |
//! | the circuit is half-open | at most 5 calls pass, the others are rejected |
//! | enough probes succeeded that fewer than half can still fail | the circuit closes, and its counts start at zero |
//! | at least half of the probes failed | the circuit opens again, for 1.5 times as long as before, up to 5 s |
//! | a probe fails, with [`without_failure_ratio`](CircuitBreakerLayer::without_failure_ratio) | the circuit opens again; all probes must succeed to close it |
//! | a probe is dropped | its slot is free at once |
//! | a probe takes longer than 30 s, for example with a slow upload | its slot is free; its result still counts |
//! | a result arrives after the state has changed | the result is ignored |
//! | a call is dropped without a result, or the classifier or `failure_predicate` panics | the call counts as neither success nor failure, unless slow calls count and it was slow |
//! | the inner service panics | the call counts as a failure |
//! | `poll_ready` of the inner service fails | this counts as a failure if there is one circuit for all requests |
//!
//! # What counts as a failure
//!
//! | outcome | counts as |
//! |---|---|
//! | no connection, connection closed or reset, timeout, malformed or incomplete response, unknown error | failure |
//! | 502, 503, 504, 520 to 530 | failure |
//! | another status of 500 and above that a gateway generated | failure |
//! | another status of 500 and above | success, unless [`count_origin_errors`](CircuitBreakerLayer::count_origin_errors) is set |
//! | 408 of a gateway that reports its own time limit | failure |
//! | any other status | success, because the upstream responded |
//! | a failure that [blames](crate::Blame) this process or the caller: a rejection by seawall or tower, a resource that ran out, a faulty request, a canceled call | neither |
//!
//! [`failure_predicate`](CircuitBreakerLayer::failure_predicate) replaces this table. The
//! classifier determines the causes.
//!
//! # Readiness
//!
//! `poll_ready` never returns the rejection as an error, because that would permanently close a
//! client under tower's `Buffer` or `Balance`. The *call* is rejected instead. If `poll_ready`
//! returned ready without polling the inner service, the next call is rejected, even if the circuit
//! has closed meanwhile. For balancers, see [`open_behavior`](CircuitBreakerLayer::open_behavior).
//!
//! # Clone
//!
//! The circuits belong to the layer. All its services and clones share them.
//!
//! # Cancel safety
//!
//! Dropping the future drops the inner future and releases the slot of a probe.
//!
//! # Order
//!
//! Inside [`RetryLayer`](crate::retry::RetryLayer), so that each attempt counts and an open circuit
//! stops the retries. Around [`TimeoutLayer`](crate::timeout::TimeoutLayer), so that a timeout
//! counts.
//!
//! Under `tower::balance`, each instance needs a breaker from its own layer, with
//! [`open_behavior`](CircuitBreakerLayer::open_behavior)`(Backpressure)`. The balancer then skips
//! an instance that is down. Breakers from clones of one layer would share a circuit. A balancer is
//! not `Clone`, so layers around it need `tower::buffer` in between.
//!
//! # Observability
//!
//! Each change of state emits one `tracing` event, named `circuit`. It is at WARN, except between
//! open and half-open, which is at DEBUG: a circuit of an upstream that stays down changes between
//! these states every few seconds.
//!
//! | field | value |
//! |---|---|
//! | `key` | the key or the name of the circuit, if it has one |
//! | `old`, `new` | the states |
//! | `cause` | the cause of the failure that last opened the circuit |
//! | `calls`, `failures` | the counts of the window or of the probes; without a window, the consecutive failures |
//! | `rejected` | the calls rejected since the circuit opened |
//! | `generation` | a number that grows by one with each change |
//! | `dry_run` | true if the breaker rejects no calls |
//!
//! [`CircuitBreakerLayer::handle`] returns the state and the counts at any time. If a panic causes
//! a change, the next call emits its event. During the panic, a subscriber that panics as well
//! would abort the process.
//!
//! **A call that an open circuit rejects is not logged at INFO**, neither by the client nor by a
//! gateway that responds with 503. There would be thousands of such lines, all with the cause that
//! the event at WARN has. While the circuit stays open, an event at WARN named `circuit_rejections`
//! summarizes them at most once per minute: `circuit for "billing:8080" still open after 60.0s:
//! connection refused (detected locally; not processed); 5930 calls rejected`. If a 503 is in no
//! log, look for an earlier `circuit … opened`.
//!
//! To log each rejected call, use `LoggingLayer::server().rejected_level(Level::Info)`, in a stack
//! with [`access_log`](crate::standard::StandardLayer::access_log). To do so without changing the
//! program, enable the level DEBUG for `seawall::logging`. The counter
//! `seawall_circuit_rejections_total` counts rejected calls (feature `metrics`).
//!
//! # Differences from other crates
//!
//! - tower-resilience, failsafe, recloser: in seawall a stale result is ignored, and the error
//!   contains the failure that opened the circuit.
//! - failsafe, recloser: in seawall only the probes pass while the circuit is half-open.
//! - tower-resilience: in seawall, successes before an outage do not keep the circuit closed until
//!   the failures are as many.

mod circuit;
mod consecutive;
mod error;
mod future;
mod handle;
mod layer;
mod message;
mod open_duration;
mod permit;
mod probes;
mod readiness;
mod selector;
mod service;
mod settings;
mod state;
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

pub use self::{
    error::CircuitOpen,
    future::ResponseFuture,
    handle::{Circuit, Circuits, Snapshot},
    layer::CircuitBreakerLayer,
    selector::{CircuitPerKey, SharedCircuit},
    service::CircuitBreaker,
    settings::OpenBehavior,
    state::State,
};

/// Response body of [`CircuitBreaker`] with
/// [`until_body_end`](CircuitBreakerLayer::until_body_end). It forwards the inner body and observes
/// its end.
pub type ResponseBody<B> = crate::body::ObservedBody<B, permit::Permit>;
