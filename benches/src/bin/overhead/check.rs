use std::process::ExitCode;

use benches::{Case, Subscriber, all, find, request::Kind, runtime};
use seawall::Failure;

use crate::measure::allocations;

/// The cases that must not allocate while nobody listens.
const NO_ALLOCATION: [&str; 7] = [
    "seawall Timeout",
    "seawall CircuitBreaker",
    "seawall CircuitBreaker, keyed",
    "seawall InFlightLimit",
    "seawall Logging, client",
    "seawall Logging, server",
    "classifier: a 200",
];

/// Retrying may allocate what a copy of the head of the request takes, and no more.
const RETRY: &str = "seawall Retry";
const COPY: &str = "floor: keep a copy of the request";

/// In bytes: a `Failure` is copied from layer to layer.
const FAILURE: usize = 48;

/// Checks what is the same on every machine and at every run.
pub(crate) fn run() -> ExitCode {
    let mut passed = true;
    let mut check = |what: &str, is: f64, limit: f64| {
        let verdict = if is <= limit { "ok" } else { "FAILED" };
        println!("{verdict}: {what}: {is}, at most {limit}");
        passed &= is <= limit;
    };
    check("bytes of a Failure", size_of::<Failure>() as f64, FAILURE as f64);
    runtime::enter(|| {
        for name in NO_ALLOCATION {
            for case in unheard(name) {
                let what = format!("allocations of {}", case.key().replace('\t', ", "));
                check(&what, allocations(&mut *case.runner()).0, 0.0);
            }
        }
        for case in unheard(RETRY) {
            let copy = find(&case.key().replace(RETRY, COPY)).expect("measured as well");
            // A body is kept on top of that, by three.
            let body = if case.kind == Kind::Post { 3.0 } else { 0.0 };
            let what = format!("allocations of {}", case.key().replace('\t', ", "));
            let limit = allocations(&mut *copy.runner()).0 + body;
            check(&what, allocations(&mut *case.runner()).0, limit);
        }
    });
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The cases of this name, while nobody listens.
fn unheard(name: &str) -> Vec<Case> {
    let cases = all().into_iter();
    let cases: Vec<Case> =
        cases.filter(|case| case.name == name && case.subscriber == Subscriber::None).collect();
    assert!(!cases.is_empty(), "no case is called {name}");
    cases
}
