//! A simulator of outages. `docs/storms.md` discusses its results.
//!
//! `cargo run --release -p storm` runs the layers of seawall and of other libraries on tokio's
//! paused clock, against a model of an upstream that fails.

mod cli;
mod expectations;
mod metrics;
mod output;
mod plot;
mod progress;
mod run;
mod scenario;
mod stack;
mod table;
mod upstream;

use std::{
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use cli::Args;
use mad_turmoil::time::SimClocksGuard;
use metrics::Metrics;
use progress::Progress;
use scenario::Scenario;
use serde::Serialize;
use stack::Stack;

/// The metrics of one scenario, stack and seed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RunResult {
    pub(crate) scenario: &'static str,
    pub(crate) stack: &'static str,
    pub(crate) seed: u64,
    pub(crate) metrics: Metrics,
}

fn main() -> ExitCode {
    let args = match Args::from_command_line() {
        Ok(args) => args,
        Err(code) => return code,
    };
    if args.list {
        print!("{}", cli::list());
        return ExitCode::SUCCESS;
    }
    if args.check {
        return check(args.seed);
    }
    let seed = args.seed;
    let runs: Vec<_> = args
        .scenarios()
        .into_iter()
        .flat_map(|scenario| args.stacks().into_iter().map(move |stack| (scenario, stack, seed)))
        .collect();
    let results = run_all(&runs);
    for scenario in args.scenarios() {
        println!("{}", table::render(scenario, &results));
    }
    match output::write(&args.out, &args.scenarios(), &results) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Verifies the expectations, and prints them.
fn check(seed: u64) -> ExitCode {
    let (lines, failed) = expectations::evaluate(&run_all(&expectations::runs(seed)));
    println!("{}", lines.join("\n"));
    if failed == 0 {
        return ExitCode::SUCCESS;
    }
    eprintln!("{failed} of {} expectations failed", lines.len());
    ExitCode::FAILURE
}

/// Runs one simulation per processor at a time. Each has its own clock and random numbers.
fn run_all(runs: &[(&'static Scenario, Stack, u64)]) -> Vec<RunResult> {
    let _clock = SimClocksGuard::init();
    let progress = Progress::new(runs.len());
    let next_index = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next_index.fetch_add(1, Ordering::Relaxed);
                    let Some((scenario, stack, seed)) = runs.get(index) else { return };
                    let bar = progress.start(format!("{} {}", scenario.name, stack.name));
                    let run = run::simulate(scenario, stack, *seed, || {
                        bar.inc(1);
                        bar.force_draw();
                    });
                    progress.finish(&bar);
                    let metrics = Metrics::from_run(&run, scenario);
                    let (scenario, stack) = (scenario.name, stack.name);
                    let result = RunResult { scenario, stack, seed: *seed, metrics };
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
