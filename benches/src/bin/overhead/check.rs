//! `overhead --check`: limits for allocations and sizes, which do not depend on the machine.

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
use benches::{Case, Subscriber, all, find, request::RequestKind, runtime};
use http::{Request, Response, StatusCode};
use seawall::{
    Failure,
    circuit_breaker::{CircuitBreakerLayer, State},
    keys::by_authority,
};
use tower::{Layer, Service};

use crate::measure::allocations;

/// The seawall layers and stacks that may allocate during a GET without a subscriber, with the
/// limit.
const ALLOCATING: [(&str, f64); 1] = [
    // The layer inserts a typed extension into the request.
    ("seawall Deadline", 3.0),
];

/// The cases with other requests, with true if they keep a copy of the request head.
const ALL_REQUESTS: [(&str, bool); 4] = [
    ("seawall ErrorResponse", false),
    ("seawall Retry", true),
    ("seawall Standard", true),
    ("seawall stack composed by ServiceBuilder", true),
];
const COPY: &str = "minimal: keep a copy of the request";

/// The layers that must have a case, so that the check covers all layers.
const REQUIRED_LAYERS: [&str; 10] = [
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

/// The maximum size of a `Failure`, which layers copy.
const MAX_FAILURE_BYTES: usize = 48;

/// The maximum memory of a circuit, including its key and its map entry.
const MAX_CIRCUIT_BYTES: f64 = 1_500.0;

/// Returns the bytes that a breaker holds after one failed call per key.
fn bytes_held_by_keys(keys: usize) -> i64 {
    let layer = CircuitBreakerLayer::new().per_key(by_authority);
    let failing = tower::service_fn(|_: Request<()>| {
        ready(Err::<Response<()>, _>(io::Error::from(io::ErrorKind::ConnectionRefused)))
    });
    let mut service = layer.layer(failing);
    let mut cx = Context::from_waker(Waker::noop());
    let held = measure(|| {
        for key in 0..keys {
            let mut request = Request::new(());
            *request.uri_mut() =
                format!("http://h{key}.example/").parse().expect("the URI is valid");
            let mut call = pin!(service.call(request));
            assert!(call.as_mut().poll(&mut cx).is_ready());
        }
    });
    assert_eq!(layer.handle().all().len(), 4_096);
    held.bytes_current
}

/// Returns a breaker per policy that opens after this number of failures.
fn breakers(failures: u32) -> [(&'static str, CircuitBreakerLayer); 2] {
    let layer = CircuitBreakerLayer::new().open_duration(Duration::ZERO);
    let consecutive = layer.clone().without_failure_ratio();
    let layers = [
        ("failure ratio", layer.min_calls(failures)),
        (
            "consecutive failures",
            consecutive.consecutive_failures(NonZeroU32::new(failures).unwrap()),
        ),
    ];
    // Creates the circuits, which the calls would otherwise do.
    for (_, layer) in &layers {
        let _ = layer.handle().state();
    }
    layers
}

/// Makes calls until `is_done` returns true.
fn call_until(layer: &CircuitBreakerLayer, status: StatusCode, mut is_done: impl FnMut() -> bool) {
    let mut service = layer.layer(tower::service_fn(move |_: Request<()>| {
        let mut response = Response::new(());
        *response.status_mut() = status;
        ready(Ok::<_, io::Error>(response))
    }));
    let mut cx = Context::from_waker(Waker::noop());
    while !is_done() {
        let mut call = pin!(service.call(Request::new(())));
        assert!(call.as_mut().poll(&mut cx).is_ready());
    }
}

/// Returns the allocations of failures in one window.
///
/// A breaker with a list of failures would allocate, and would walk the list under a lock.
fn allocations_of_failures(layer: &CircuitBreakerLayer, failures: u32) -> u64 {
    let mut calls = 0..failures;
    measure(|| call_until(layer, StatusCode::BAD_GATEWAY, || calls.next().is_none())).count_total
}

/// Returns the bytes held after a circuit has opened and closed `cycles` times.
fn bytes_held_by_cycles(layer: &CircuitBreakerLayer, cycles: u32) -> i64 {
    let state = || layer.handle().state();
    let held = measure(|| {
        for _ in 0..cycles {
            call_until(layer, StatusCode::BAD_GATEWAY, || state() == State::Open);
            call_until(layer, StatusCode::OK, || state() == State::Closed);
        }
    });
    held.bytes_current
}

pub(crate) fn run() -> ExitCode {
    let mut passed = true;
    let mut check = |metric: &str, value: f64, limit: f64| {
        let verdict = if value <= limit { "ok" } else { "FAILED" };
        println!("{verdict}: {metric}: {value} (limit {limit})");
        passed &= value <= limit;
    };
    check("bytes of a Failure", size_of::<Failure>() as f64, MAX_FAILURE_BYTES as f64);
    let held = bytes_held_by_keys(100_000) as f64 / 4_096.0;
    check("bytes held per circuit of 4,096 after 100,000 keys", held, MAX_CIRCUIT_BYTES);
    for (policy, layer) in breakers(u32::MAX) {
        let allocated = allocations_of_failures(&layer, 100_000);
        check(&format!("allocations of 100,000 failures, {policy}"), allocated as f64, 0.0);
    }
    for (policy, layer) in breakers(1) {
        let held = bytes_held_by_cycles(&layer, 1_000);
        check(&format!("bytes held after 1,000 open circuits, {policy}"), held as f64, 0.0);
    }
    runtime::enter(|| {
        let cases = without_subscriber();
        for layer in REQUIRED_LAYERS {
            assert!(
                cases.iter().any(|case| case.name.starts_with(layer)),
                "expected a case of {layer}, found none"
            );
        }
        for case in cases.iter().filter(|case| case.kind == RequestKind::Get && is_seawall(case)) {
            let limit = ALLOCATING.iter().find(|(name, _)| *name == case.name);
            check_allocations(&mut check, case, "", limit.map_or(0.0, |(_, limit)| *limit));
        }
        let classifier = cases.iter().find(|case| case.name == "classifier: a 200");
        check_allocations(&mut check, classifier.expect("the case exists"), "", 0.0);
        for (name, copies) in ALL_REQUESTS {
            let cases_named = || cases.iter().filter(|case| case.name == name);
            assert!(cases_named().next().is_some(), "expected a case named {name:?}, found none");
            for case in cases_named().filter(|case| case.kind != RequestKind::Get) {
                let copy = find(&case.key().replace(case.name, COPY))
                    .expect("the case of the copy exists");
                // The copy of a body takes three more allocations, and the record of the waits for
                // it four (docs/decisions/0067).
                let body = if case.kind == RequestKind::Post { 3.0 + 4.0 } else { 0.0 };
                let limit = if copies { allocations(&mut *copy.runner()).0 + body } else { 0.0 };
                check_allocations(&mut check, case, "", limit);
            }
        }
        // The client layer logs only failures at INFO, so a success must not allocate.
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

fn is_seawall(case: &Case) -> bool {
    case.name.starts_with("seawall ")
}

fn check_allocations(
    check: &mut impl FnMut(&str, f64, f64),
    case: &Case,
    suffix: &str,
    limit: f64,
) {
    let metric = format!("allocations of {}{suffix}", case.key().replace('\t', ", "));
    check(&metric, allocations(&mut *case.runner()).0, limit);
}
