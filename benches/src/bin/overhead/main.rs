//! Prints what a call costs through each layer, as a Markdown table.
//!
//! `overhead [--rounds N] [--icount FILE]`: `FILE` is what `icount.sh` printed; without it the table has no
//! instructions. `overhead --check`: fails if a layer allocates where it should not; takes no time.

mod check;
mod measure;
mod table;

use std::{collections::HashMap, env, error::Error, fs, process::ExitCode};

use benches::Subscriber;

type Outcome<T> = Result<T, Box<dyn Error>>;

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

fn run() -> Outcome<ExitCode> {
    let mut rounds = 400;
    let mut instructions = HashMap::new();
    let mut child: Option<Subscriber> = None;
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(USAGE);
        match argument.as_str() {
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
