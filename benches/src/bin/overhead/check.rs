use std::process::ExitCode;

use benches::{Case, Subscriber, all, runtime};
use seawall::Failure;

use crate::measure::allocations;

/// The cases that must not allocate while nobody listens.
const NO_ALLOCATION: [&str; 4] =
    ["seawall Timeout", "seawall Logging, client", "seawall Logging, server", "classifier: a 200"];

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
            let cases: Vec<Case> = all()
                .into_iter()
                .filter(|case| case.name == name && case.subscriber == Subscriber::None)
                .collect();
            assert!(!cases.is_empty(), "no case is called {name}");
            for case in cases {
                let what = format!("allocations of {}", case.key().replace('\t', ", "));
                check(&what, allocations(&mut *case.runner()).0, 0.0);
            }
        }
    });
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
