//! Prints the cost of a call through each layer as a Markdown table.
//!
//! `overhead [--rounds N] [--icount FILE]`: `FILE` is the output of `icount.sh`. Without it, the
//! table has no instruction counts.
//!
//! `overhead --check`: fails if a layer exceeds its limit of allocations. Measures no time.

mod check;
mod measure;
mod table;

use std::{collections::HashMap, env, error::Error, fs, process::ExitCode};

use benches::Subscriber;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "usage: overhead [--rounds N] [--icount FILE] | overhead --check";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("overhead: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let mut rounds = 400;
    let mut instructions = HashMap::new();
    let mut child: Option<Subscriber> = None;
    let mut args = env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(USAGE);
        match arg.as_str() {
            "--check" => return Ok(check::run()),
            "--rounds" => rounds = value()?.parse()?,
            "--icount" => instructions = table::instructions(&fs::read_to_string(value()?)?)?,
            "--child" => child = Some(value()?.parse()?),
            _ => return Err(USAGE.into()),
        }
    }
    match child {
        Some(subscriber) => measure::child(subscriber, rounds),
        None => table::print(&measure::all(rounds)?, &instructions),
    }
    Ok(ExitCode::SUCCESS)
}
