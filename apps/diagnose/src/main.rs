//! Somebody sees a 502 right now: why, at which hop, and what next.
//!
//! `cargo run -p seawall-diagnose -- https://host/path` looks the name up, connects, does the TLS handshake and asks, says which
//! step failed and what that means. Without a URL it does so with an embedded upstream that is broken.

mod cli;
mod curl;
mod demo;
mod escape;
mod fields;
mod human;
mod json;
mod repeat;
mod report;
mod run;
mod steps;
mod target;
mod words;

use std::{io::Write, process::ExitCode};

use crate::{repeat::Tries, target::Target};

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("cannot start: {error}");
            return ExitCode::from(2);
        }
    };
    let code = runtime.block_on(diagnose());
    // A name lookup by the system cannot be cancelled, and is not waited for.
    runtime.shutdown_background();
    code
}

async fn diagnose() -> ExitCode {
    let (target, options) = match cli::read() {
        Ok(read) => read,
        Err(code) => return code,
    };
    let embedded = target.is_none();
    let target = match target {
        Some(target) => Ok(target),
        None => demo::start()
            .await
            .map_err(|error| error.to_string())
            .and_then(|url| Target::parse(&url)),
    };
    let target = match target {
        Ok(target) => target,
        Err(error) => {
            eprintln!("cannot start the embedded upstream: {error}");
            return ExitCode::from(2);
        }
    };
    let mut tries = Tries::default();
    let mut report = run::diagnose(&target, &options, embedded).await;
    tries.add(&report);
    while tries.total < options.repeat {
        let next = run::diagnose(&target, &options, embedded).await;
        tries.add(&next);
        // The first failure is what is shown.
        if report.failure.is_none() {
            report = next;
        }
    }
    let text = if options.json {
        format!("{}\n", json::of(&report, &tries))
    } else if tries.total > 1 {
        format!("{}\n  {}\n", human::of(&report), tries.summary())
    } else {
        human::of(&report)
    };
    // A reader that is gone has read enough.
    let _ = anstream::stdout().write_all(text.as_bytes());
    ExitCode::from(u8::from(tries.failed() > 0))
}
