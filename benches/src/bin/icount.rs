//! Runs one case for callgrind to count its instructions: see `icount.sh`.

use std::{env, process::ExitCode};

use benches::{Case, all, find, runtime};

/// At a time: all requests of a batch are built before the first is sent.
const BATCH: usize = 500;

const USAGE: &str = "usage: icount --list | icount CASE CALLS, where CASE is a line of the list";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["--list"] => all().iter().for_each(|case| println!("{}", case.key())),
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

fn run(case: &Case, calls: usize) {
    case.subscriber.install();
    runtime::enter(|| {
        let mut runner = case.runner();
        let mut left = calls;
        while left > 0 {
            let batch = left.min(BATCH);
            runner.prepare(batch);
            runner.run();
            left -= batch;
        }
    });
}
