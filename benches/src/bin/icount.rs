//! Runs one case for callgrind to count its instructions: see `icount.sh`.

use std::{env, process::ExitCode};

use benches::{Case, Runner, all, find, runtime};

/// At a time: all requests of a batch are built before the first is sent.
const BATCH: usize = 500;

const USAGE: &str = "\
usage: icount --list         every case, and the name of what is subtracted from it, by tabs
       icount CASE CALLS     where CASE is a line of the list without its last column";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
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

/// After as many calls as there are in two batches, so that what happens once is over.
fn run(case: &Case, calls: usize) {
    case.subscriber.install();
    runtime::enter(|| {
        let mut runner = case.runner();
        for _ in 0..2 {
            runner.prepare(BATCH);
            runner.run();
        }
        let mut left = calls;
        while left > 0 {
            let batch = left.min(BATCH);
            runner.prepare(batch);
            bench_counted(&mut *runner);
            left -= batch;
        }
    });
}

/// callgrind counts what happens in here, by this name: see `icount.sh`.
#[inline(never)]
fn bench_counted(runner: &mut dyn Runner) {
    runner.run();
}
