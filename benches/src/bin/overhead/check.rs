//! `overhead --check`: limits of allocations and sizes, which do not depend on the machine.

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
    circuit_breaker::{CircuitBreakerLayer, State, by_authority},
};
use tower::{Layer, Service};

use crate::measure::allocations;

/// The layers and stacks of seawall that allocate during a GET without a subscriber; no other may.
const ALLOCATING: [(&str, f64); 1] = [
    // The deadline for the layers inside is a typed extension of the request.
    ("seawall Deadline", 3.0),
];

/// The cases with other requests, and whether they keep a copy of the request's head.
const ALL_REQUESTS: [(&str, bool); 4] = [
    ("seawall ErrorResponse", false),
    ("seawall Retry", true),
    ("seawall Standard", true),
    ("seawall stack composed by ServiceBuilder", true),
];
const COPY: &str = "minimal: keep a copy of the request";

/// The layers that must have a case, so that the check omits none.
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

/// The size of a `Failure`, which layers copy.
const MAX_FAILURE_BYTES: usize = 48;

/// The memory of a circuit, with its key and its entry in the map.
const MAX_CIRCUIT_BYTES: f64 = 1_500.0;

/// The bytes that a breaker holds after one failed call for each of `keys` keys.
fn bytes_held_by_keys(keys: usize) -> i64 {
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

/// A breaker of each policy that opens after this many failures.
fn breakers(failures: u32) -> [(&'static str, CircuitBreakerLayer); 2] {
    let layer = CircuitBreakerLayer::new().open_duration(Duration::ZERO);
    let consecutive = layer.clone().failure_ratio(None);
    [
        ("failure ratio", layer.min_calls(failures)),
        ("consecutive failures", consecutive.consecutive_failures(NonZeroU32::new(failures))),
    ]
}

/// Calls until `is_done` returns true.
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

/// The allocations of failures in one window. A list of failures would allocate, and would be walked under a lock.
fn allocations_of_failures(layer: &CircuitBreakerLayer, failures: u32) -> u64 {
    let mut calls = 0..failures;
    measure(|| call_until(layer, StatusCode::BAD_GATEWAY, || calls.next().is_none())).count_total
}

/// The bytes held after a circuit has opened and closed `cycles` times.
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
        println!("{verdict}: {metric}: {value}, at most {limit}");
        passed &= value <= limit;
    };
    check("bytes of a Failure", size_of::<Failure>() as f64, MAX_FAILURE_BYTES as f64);
    let held = bytes_held_by_keys(100_000) as f64 / 4_096.0;
    check("bytes held for each of 4,096 circuits after 100,000 keys", held, MAX_CIRCUIT_BYTES);
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
            assert!(cases.iter().any(|case| case.name.starts_with(layer)), "no case of {layer}");
        }
        for case in cases.iter().filter(|case| case.kind == RequestKind::Get && is_seawall(case)) {
            let limit = ALLOCATING.iter().find(|(name, _)| *name == case.name);
            check_allocations(&mut check, case, "", limit.map_or(0.0, |(_, limit)| *limit));
        }
        let classifier = cases.iter().find(|case| case.name == "classifier: a 200");
        check_allocations(&mut check, classifier.expect("measured as well"), "", 0.0);
        for (name, copies) in ALL_REQUESTS {
            let of_name = || cases.iter().filter(|case| case.name == name);
            assert!(of_name().next().is_some(), "no case is called {name}");
            for case in of_name().filter(|case| case.kind != RequestKind::Get) {
                let copy = find(&case.key().replace(case.name, COPY)).expect("measured as well");
                // The copy of the body takes three more.
                let body = if case.kind == RequestKind::Post { 3.0 } else { 0.0 };
                let limit = if copies { allocations(&mut *copy.runner()).0 + body } else { 0.0 };
                check_allocations(&mut check, case, "", limit);
            }
        }
        // At INFO the layer logs only failures, so a success must not allocate.
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
