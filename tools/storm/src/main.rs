//! Outages in pictures. See `docs/storms.md` for what they show.
//!
//! `cargo run --release -p storm` runs the layers of seawall and of its peers, not models of them, on tokio's paused clock
//! against an upstream that is a model, and fails by a script.

mod check;
mod cli;
mod figures;
mod picture;
mod progress;
mod run;
mod save;
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

use cli::Arguments;
use figures::Figures;
use mad_turmoil::time::SimClocksGuard;
use progress::Progress;
use scenario::Scenario;
use serde::Serialize;
use stack::Stack;

/// What a stack made of a scenario.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Result {
    pub(crate) scenario: &'static str,
    pub(crate) stack: &'static str,
    pub(crate) seed: u64,
    pub(crate) figures: Figures,
}

fn main() -> ExitCode {
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    if arguments.list {
        print!("{}", cli::list());
        return ExitCode::SUCCESS;
    }
    if arguments.check {
        return check(arguments.seed);
    }
    let seed = arguments.seed;
    let storms: Vec<_> = arguments
        .scenarios()
        .into_iter()
        .flat_map(|scenario| {
            arguments.stacks().into_iter().map(move |stack| (scenario, stack, seed))
        })
        .collect();
    let results = run_all(&storms);
    for scenario in arguments.scenarios() {
        println!("{}", table::of(scenario, &results));
    }
    match save::all(&arguments.out, &arguments.scenarios(), &results) {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            eprintln!("{line}");
            ExitCode::FAILURE
        }
    }
}

fn check(seed: u64) -> ExitCode {
    let (lines, broken) = check::of(&run_all(&check::storms(seed)));
    println!("{}", lines.join("\n"));
    if broken == 0 {
        return ExitCode::SUCCESS;
    }
    eprintln!("{broken} of {} do not hold", lines.len());
    ExitCode::FAILURE
}

/// As many at once as there are processors; each has chance and a clock of its own, so that none changes another.
fn run_all(storms: &[(&'static Scenario, Stack, u64)]) -> Vec<Result> {
    let _clock = SimClocksGuard::init();
    let progress = Progress::new(storms.len());
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some((scenario, stack, seed)) = storms.get(at) else { return };
                    let bar = progress.begin(format!("{} {}", scenario.name, stack.name));
                    let storm = run::storm(scenario, stack, *seed, || {
                        bar.inc(1);
                        bar.force_draw();
                    });
                    progress.end(&bar);
                    let figures = Figures::of(&storm, scenario);
                    let (scenario, stack) = (scenario.name, stack.name);
                    let result = Result { scenario, stack, seed: *seed, figures };
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_unstable_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}
