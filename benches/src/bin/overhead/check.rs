use std::{
    future::ready,
    io,
    num::NonZeroU32,
    pin::pin,
    process::ExitCode,
    task::{Context, Waker},
    time::Duration,
};

use allocation_counter::measure;
use benches::{Case, Subscriber, all, find, request::Kind, runtime};
use http::{Request, Response, StatusCode};
use seawall::{
    CircuitBreakerLayer, Failure,
    circuit_breaker::{State, by_authority},
};
use tower::{Layer, Service};

use crate::measure::allocations;

/// Allocations of a GET through each of seawall's layers and stacks, without a subscriber: none, except through these.
const ALLOCATING: [(&str, f64); 1] = [
    // The deadline for the layers inside is a typed extension of the request.
    ("seawall Deadline", 3.0),
];

/// Also sent requests with headers and a body. A retry, alone or in the stack, keeps a copy of the request's head.
const ALL_KINDS: [(&str, bool); 4] = [
    ("seawall ErrorResponse", false),
    ("seawall Retry", true),
    ("seawall Standard", true),
    ("seawall stack composed by ServiceBuilder", true),
];
const COPY: &str = "floor: keep a copy of the request";

/// Layers that must have a row, so that none can be left out of the check.
const LAYERS: [&str; 10] = [
    "seawall BadGatewayClassifier",
    "seawall BodyTimeout",
    "seawall CircuitBreaker",
    "seawall Deadline",
    "seawall DeadlineHeader",
    "seawall ErrorResponse",
    "seawall InFlightLimit",
    "seawall Logging",
    "seawall Retry",
    "seawall Timeout",
];

/// In bytes: a `Failure` is copied from layer to layer.
const FAILURE: usize = 48;

/// In bytes, with its key and its place in the store, of a circuit that one group of threads calls.
const CIRCUIT: f64 = 1_500.0;

/// Bytes that a breaker holds after calls of so many keys, each of which has failed.
fn circuits_held(keys: usize) -> i64 {
    let layer = CircuitBreakerLayer::new().per_key(by_authority);
    let down = tower::service_fn(|_: Request<()>| {
        ready(Err::<Response<()>, _>(io::Error::from(io::ErrorKind::ConnectionRefused)))
    });
    let mut service = layer.layer(down);
    let mut cx = Context::from_waker(Waker::noop());
    let held = measure(|| {
        for key in 0..keys {
            let mut request = Request::new(());
            *request.uri_mut() = format!("http://h{key}.example/").parse().expect("a URI");
            let mut call = pin!(service.call(request));
            assert!(call.as_mut().poll(&mut cx).is_ready());
        }
    });
    assert_eq!(layer.handle().all().len(), 4_096);
    held.bytes_current
}

/// A circuit of each kind, which opens at so many failures.
fn kinds(failures: u32) -> [(&'static str, CircuitBreakerLayer); 2] {
    let layer = CircuitBreakerLayer::new().open_duration(Duration::ZERO);
    let in_a_row = layer.clone().failure_ratio(None);
    [
        ("a ratio", layer.min_calls(failures)),
        ("a row", in_a_row.consecutive_failures(NonZeroU32::new(failures))),
    ]
}

/// Calls until it is as `end` says.
fn call(layer: &CircuitBreakerLayer, status: StatusCode, mut end: impl FnMut() -> bool) {
    let mut service = layer.layer(tower::service_fn(move |_: Request<()>| {
        let mut response = Response::new(());
        *response.status_mut() = status;
        ready(Ok::<_, io::Error>(response))
    }));
    let mut cx = Context::from_waker(Waker::noop());
    while !end() {
        let mut call = pin!(service.call(Request::new(())));
        assert!(call.as_mut().poll(&mut cx).is_ready());
    }
}

/// What so many failures in one window allocate. A list of them would also be walked, under a lock, at each call.
fn allocated_by_failures(layer: &CircuitBreakerLayer, failures: u32) -> u64 {
    let mut calls = 0..failures;
    measure(|| call(layer, StatusCode::BAD_GATEWAY, || calls.next().is_none())).count_total
}

/// Bytes that are held after a circuit has opened, and closed again, so often.
fn held_by_cycles(layer: &CircuitBreakerLayer, cycles: u32) -> i64 {
    let state = || layer.handle().state();
    let held = measure(|| {
        for _ in 0..cycles {
            call(layer, StatusCode::BAD_GATEWAY, || state() == State::Open);
            call(layer, StatusCode::OK, || state() == State::Closed);
        }
    });
    held.bytes_current
}

/// Checks what is the same on every machine and at every run.
pub(crate) fn run() -> ExitCode {
    let mut passed = true;
    let mut check = |what: &str, is: f64, limit: f64| {
        let verdict = if is <= limit { "ok" } else { "FAILED" };
        println!("{verdict}: {what}: {is}, at most {limit}");
        passed &= is <= limit;
    };
    check("bytes of a Failure", size_of::<Failure>() as f64, FAILURE as f64);
    let held = circuits_held(100_000) as f64 / 4_096.0;
    check("bytes held for each of 4,096 circuits after 100,000 keys", held, CIRCUIT);
    for (kind, layer) in kinds(u32::MAX) {
        let allocated = allocated_by_failures(&layer, 100_000);
        check(&format!("allocations of 100,000 failures, {kind}"), allocated as f64, 0.0);
    }
    for (kind, layer) in kinds(1) {
        let held = held_by_cycles(&layer, 1_000);
        check(&format!("bytes held after 1,000 open circuits, {kind}"), held as f64, 0.0);
    }
    runtime::enter(|| {
        let cases = without_subscriber();
        for layer in LAYERS {
            assert!(cases.iter().any(|case| case.name.starts_with(layer)), "no case of {layer}");
        }
        for case in cases.iter().filter(|case| case.kind == Kind::Get && is_ours(case)) {
            let limit = ALLOCATING.iter().find(|(name, _)| *name == case.name);
            check_allocations(&mut check, case, "", limit.map_or(0.0, |(_, limit)| *limit));
        }
        let verdict = cases.iter().find(|case| case.name == "classifier: a 200");
        check_allocations(&mut check, verdict.expect("measured as well"), "", 0.0);
        for (name, copies) in ALL_KINDS {
            let of_name = || cases.iter().filter(|case| case.name == name);
            assert!(of_name().next().is_some(), "no case is called {name}");
            for case in of_name().filter(|case| case.kind != Kind::Get) {
                let copy = find(&case.key().replace(case.name, COPY)).expect("measured as well");
                // The body is kept on top of that, by three.
                let body = if case.kind == Kind::Post { 3.0 } else { 0.0 };
                let limit = if copies { allocations(&mut *copy.runner()).0 + body } else { 0.0 };
                check_allocations(&mut check, case, "", limit);
            }
        }
        // At INFO only failures are logged, and a success must not pay for that.
        let info = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO);
        tracing::subscriber::with_default(info.with_writer(io::sink).finish(), || {
            for case in cases.iter().filter(|case| case.name == "seawall Logging, client") {
                check_allocations(&mut check, case, ", at INFO", 0.0);
            }
        });
    });
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Returns the cases without a subscriber.
fn without_subscriber() -> Vec<Case> {
    all().into_iter().filter(|case| case.subscriber == Subscriber::None).collect()
}

fn is_ours(case: &Case) -> bool {
    case.name.starts_with("seawall ")
}

fn check_allocations(
    check: &mut impl FnMut(&str, f64, f64),
    case: &Case,
    suffix: &str,
    limit: f64,
) {
    let what = format!("allocations of {}{suffix}", case.key().replace('\t', ", "));
    check(&what, allocations(&mut *case.runner()).0, limit);
}
