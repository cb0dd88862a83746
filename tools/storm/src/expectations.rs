//! The expectations of seawall's metrics, which `--check` verifies.

use std::time::Duration;

use crate::{
    RunResult,
    metrics::Metrics,
    scenario::{self, Scenario},
    stack::{self, CALL_TIMEOUT, IN_FLIGHT_LIMIT, Stack},
};

/// A bound on one metric of one scenario and stack.
pub(crate) struct Expectation {
    scenario: &'static str,
    stack: &'static str,
    metric: &'static str,
    value: fn(&Metrics) -> f64,
    bound: Bound,
    /// The number of runs, each with its own seed.
    runs: u64,
}

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
    /// A bound on the sum over all runs.
    SumAtMost(f64),
}
use Bound::{AtLeast, AtMost, SumAtMost};

const NEVER: f64 = f64::INFINITY;

const fn expect(
    scenario: &'static str,
    stack: &'static str,
    metric: &'static str,
    value: fn(&Metrics) -> f64,
    bound: Bound,
) -> Expectation {
    Expectation { scenario, stack, metric, value, bound, runs: 1 }
}

/// Expects that no call fails in six runs, because one run may miss a rare failure.
const fn expect_no_failures(scenario: &'static str, stack: &'static str) -> Expectation {
    let metric = "failed, worst of 6";
    Expectation { runs: 6, ..expect(scenario, stack, metric, FAILED, AtMost(0.0)) }
}

/// Expects few failed calls in 60 runs. About one run in 40 has a call whose attempts are all
/// refused, so the result of six runs would depend on their seeds.
const fn expect_few_failures(scenario: &'static str, stack: &'static str, max: f64) -> Expectation {
    let metric = "failed, in 60 runs";
    Expectation { runs: 60, ..expect(scenario, stack, metric, FAILED, SumAtMost(max)) }
}

const SUCCESS: fn(&Metrics) -> f64 = |metrics| metrics.success_rate;
const FAILED: fn(&Metrics) -> f64 = |metrics| metrics.failed as f64;
const RECOVERY: fn(&Metrics) -> f64 = |metrics| metrics.recovery_s.unwrap_or(NEVER);
const CAPACITY_RATIO: fn(&Metrics) -> f64 = |metrics| metrics.capacity_ratio.unwrap_or(0.0);
const MAX_IN_FLIGHT: fn(&Metrics) -> f64 = |metrics| metrics.max_in_flight as f64;
const MAX_LOAD: fn(&Metrics) -> f64 = |metrics| metrics.max_load;
const FAULT_LOAD: fn(&Metrics) -> f64 = |metrics| metrics.fault_load;

/// A deadline can take effect one millisecond late.
const MAX_WAIT_S: f64 =
    CALL_TIMEOUT.saturating_add(Duration::from_millis(1)).as_millis() as f64 / 1e3;

static EXPECTATIONS: [Expectation; 22] = [
    expect("random", "seawall", "success", SUCCESS, AtLeast(0.9999)),
    expect("random", "seawall", "load", FAULT_LOAD, AtMost(1.06)),
    expect("down", "seawall", "load while down", FAULT_LOAD, AtMost(0.3)),
    expect("down", "seawall", "load, worst second", MAX_LOAD, AtMost(1.25)),
    expect("down", "seawall", "recovery, s", RECOVERY, AtMost(10.0)),
    expect("silent", "seawall", "max wait, s", |metrics| metrics.max_wait_s, AtMost(MAX_WAIT_S)),
    expect("silent", "seawall", "load, worst second", MAX_LOAD, AtMost(1.25)),
    expect("silent", "seawall", "recovery, s", RECOVERY, AtMost(10.0)),
    expect(
        "silent",
        "seawall-limit",
        "max in flight",
        MAX_IN_FLIGHT,
        AtMost(IN_FLIGHT_LIMIT as f64),
    ),
    expect("silent", "seawall-adaptive", "recovery, s", RECOVERY, AtMost(10.0)),
    // Checks that the scenario overloads the upstream.
    expect("brownout", "naive", "goodput / capacity", CAPACITY_RATIO, AtMost(0.5)),
    expect("brownout", "seawall", "recovery, s", RECOVERY, AtMost(10.0)),
    expect("brownout", "seawall-limit", "goodput / capacity", CAPACITY_RATIO, AtLeast(0.85)),
    expect("brownout", "seawall-limit", "recovery, s", RECOVERY, AtMost(10.0)),
    expect("brownout", "seawall-adaptive", "goodput / capacity", CAPACITY_RATIO, AtLeast(0.85)),
    expect("brownout", "seawall-adaptive", "recovery, s", RECOVERY, AtMost(10.0)),
    expect("instance", "seawall", "success", SUCCESS, AtLeast(0.999)),
    // 400 runs with other seeds had 11 failures, so 60 runs have 1.65 on average. With one retry
    // fewer, they have 33.
    expect_few_failures("restart", "seawall", 6.0),
    expect(
        "ratelimit",
        "seawall",
        "early requests",
        |metrics| metrics.early_requests as f64,
        AtMost(0.0),
    ),
    expect("ratelimit", "seawall", "load, worst second", MAX_LOAD, AtMost(1.25)),
    expect("ratelimit", "seawall-adaptive", "goodput / rate limit", CAPACITY_RATIO, AtLeast(0.95)),
    expect_no_failures("stale", "seawall"),
];

/// Returns the distinct runs that the expectations need, with seeds from `seed` on.
pub(crate) fn runs(seed: u64) -> Vec<(&'static Scenario, Stack, u64)> {
    let mut runs: Vec<(&Scenario, Stack, u64)> = Vec::new();
    for expectation in &EXPECTATIONS {
        let scenario = scenario::ALL.iter().find(|scenario| scenario.name == expectation.scenario);
        let stack = stack::ALL.iter().find(|stack| stack.name == expectation.stack);
        let (scenario, stack) = scenario.zip(stack).expect("a known scenario and stack");
        for seed in seed..seed.saturating_add(expectation.runs) {
            let is_same = |run: &(&Scenario, Stack, u64)| {
                (run.0.name, run.1.name, run.2) == (scenario.name, stack.name, seed)
            };
            if !runs.iter().any(is_same) {
                runs.push((scenario, *stack, seed));
            }
        }
    }
    runs
}

/// Evaluates the expectations. Returns a line for each, and the number of failed ones.
pub(crate) fn evaluate(results: &[RunResult]) -> (Vec<String>, usize) {
    let mut failed = 0;
    let lines = EXPECTATIONS.iter().map(|expectation| {
        let values = results
            .iter()
            .filter(|result| {
                result.scenario == expectation.scenario && result.stack == expectation.stack
            })
            .map(|result| (expectation.value)(&result.metrics));
        let value = match expectation.bound {
            AtLeast(_) => values.reduce(f64::min),
            AtMost(_) => values.reduce(f64::max),
            SumAtMost(_) => values.reduce(|sum, value| sum + value),
        };
        let value = value.expect("every run has a result");
        let (holds, bound) = match expectation.bound {
            AtLeast(min) => (value >= min, format!("at least {min}")),
            AtMost(max) | SumAtMost(max) => (value <= max, format!("at most {max}")),
        };
        failed += usize::from(!holds);
        let verdict = if holds { "ok    " } else { "FAILED" };
        let Expectation { scenario, stack, metric, .. } = expectation;
        format!("{verdict} {scenario:<9} {stack:<16} {metric:<21} {value:>9.5}  {bound}")
    });
    let lines = lines.collect();
    (lines, failed)
}
