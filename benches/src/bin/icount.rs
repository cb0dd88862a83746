//! Runs one case under callgrind, which counts its instructions: see `icount.sh`.

use std::{env, process::ExitCode};

use benches::{Case, Runner, all, find, runtime};

/// The number of calls whose requests are built together, outside the counted region.
const BATCH: usize = 500;

const USAGE: &str = "\
usage: icount --list         prints every case and the name of its base, separated by tabs
       icount CASE CALLS     runs CASE, a line of the list without its last column";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["--list"] => all().iter().for_each(|case| println!("{}\t{}", case.key(), case.base)),
        [key, calls] => match (find(key), calls.parse()) {
            (Some(case), Ok(calls)) => run(&case, calls),
            _ => return usage(),
        },
        _ => return usage(),
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::FAILURE
}

/// Makes `calls` counted calls after two warm-up batches.
fn run(case: &Case, calls: usize) {
    case.subscriber.install();
    runtime::enter(|| {
        let mut runner = case.runner();
        for _ in 0..2 {
            runner.prepare(BATCH);
            runner.run();
        }
        let mut remaining = calls;
        while remaining > 0 {
            let batch = remaining.min(BATCH);
            runner.prepare(batch);
            bench_counted(&mut *runner);
            remaining -= batch;
        }
    });
}

/// The region that callgrind counts, selected by its name: see `icount.sh`.
#[inline(never)]
fn bench_counted(runner: &mut dyn Runner) {
    runner.run();
}
