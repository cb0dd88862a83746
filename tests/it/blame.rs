//! Who is blamed for a failure: the caller, this process, the upstream or the network.

#[cfg(target_os = "linux")]
mod connect;
mod http2;
mod peers;
mod request_bodies;
mod table;
mod tower_layers;

use std::{cell::Cell, pin::Pin, rc::Rc};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use seawall::{
    BoxError,
    circuit_breaker::{Circuit, State},
    standard::StandardLayer,
};
use tower::{Layer, ServiceExt, service_fn};
use tracing::{Level, level_filters::LevelFilter};

use crate::log_capture::{Line, Recorder};

type Body = Full<Bytes>;
type Outcome = Result<Response<Body>, BoxError>;

/// The reaction of the layers to a failure that an upstream repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reaction {
    /// The status of a gateway's response.
    status: u16,
    /// Whether repeated failures open the circuit.
    counts: bool,
    /// Whether an idempotent request is sent again.
    is_retried: bool,
    /// The most severe level of the lines of the call.
    level: Level,
}

const PAGE: &str = include_str!("../../docs/blame.md");

/// Returns the row of `docs/blame.md` that starts with a cell, without that cell.
fn documented(cell: &str) -> &'static str {
    let start = format!("| {cell} | ");
    let row = PAGE.lines().find_map(|line| line.strip_prefix(&start));
    row.unwrap_or_else(|| panic!("expected a row for {cell}"))
}

fn yes_or_no(is_yes: bool) -> &'static str {
    if is_yes { "yes" } else { "no" }
}

/// Enough failures to open a circuit with default settings.
const CALLS: usize = 25;

fn request(method: &str) -> Request<Body> {
    Request::builder().method(method).uri("http://up.test/").body(Body::default()).unwrap()
}

/// Creates the outcome of one call.
type Fail = Rc<dyn Fn() -> Pin<Box<dyn Future<Output = Outcome>>>>;

/// Returns a client whose calls all have the outcome of `fail`.
fn failing<F>(fail: impl Fn() -> F + 'static) -> Fail
where
    F: Future<Output = Outcome> + 'static,
{
    Rc::new(move || Box::pin(fail()))
}

/// Calls a client that fails in the same way each time, through the stack of a gateway.
async fn reaction_to(fail: &Fail) -> Reaction {
    let (recorder, _guard) = Recorder::start(LevelFilter::DEBUG);
    let (response, count, _) = call(fail, "GET", 1).await;
    let is_call = |line: &&Line| line.get("seawall.outcome").is_some();
    // `Level` orders by verbosity.
    let level = recorder.lines().iter().filter(is_call).map(|line| line.level).min();
    let level = level.expect("expected a line");
    let (_, _, states) = call(fail, "POST", CALLS).await;
    Reaction {
        status: response.status().as_u16(),
        counts: states != [State::Closed],
        is_retried: count > 1,
        level,
    }
}

/// Makes calls of a new stack. Returns the first response, the number of requests that the client
/// got, and the states of the circuits.
async fn call(fail: &Fail, method: &str, calls: usize) -> (Response<()>, usize, Vec<State>) {
    let count = Rc::new(Cell::new(0));
    let client = {
        let (fail, count) = (Rc::clone(fail), Rc::clone(&count));
        service_fn(move |_: Request<_>| {
            count.set(count.get() + 1);
            fail()
        })
    };
    let layer = StandardLayer::gateway("edge");
    let gateway = layer.layer(client);
    let mut first = None;
    for _ in 0..calls {
        let response = gateway.clone().oneshot(request(method)).await.unwrap();
        first.get_or_insert(response.map(drop));
    }
    let states = layer.circuits().all().iter().map(Circuit::state).collect();
    (first.unwrap(), count.get(), states)
}
