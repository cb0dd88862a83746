//! Prints the cost of a call on one, two and four threads as Markdown tables.
//!
//! [`benches::contention`] describes the method.

mod report;

use std::{env, process::ExitCode};

use benches::contention::{self, Row};

const ROUNDS: usize = 30;

const USAGE: &str = "usage: contention breakers|stacks|pending-stacks [ROUNDS]";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let Some((rows, rounds)) = parse(&args) else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    report::print(&rows, &contention::measure(&rows, rounds), rounds);
    ExitCode::SUCCESS
}

fn parse(args: &[&str]) -> Option<(Vec<Row>, usize)> {
    let (table, rounds) = match args {
        [table] => (table, ROUNDS),
        [table, rounds] => (table, rounds.parse().ok().filter(|rounds| *rounds > 0)?),
        _ => return None,
    };
    let rows = match *table {
        "breakers" => contention::breakers(),
        "stacks" => contention::stacks(),
        "pending-stacks" => contention::pending_stacks(),
        _ => return None,
    };
    Some((rows, rounds))
}
