//! Explains why a request to a URL fails: the step, the hop, and the next checks.
//!
//! `cargo run -p seawall-diagnose -- https://host/path` resolves the name, connects, completes the
//! TLS handshake and sends a request. It reports the step that failed and explains the failure.
//! Without a URL, it diagnoses a built-in, broken upstream.

mod advice;
mod cli;
mod curl;
mod demo_upstream;
mod escape;
mod explain;
mod output;
mod pipeline;
mod protocol;
mod render;
mod repeat;
mod report;
mod secrets;
mod server_headers;
mod steps;
mod target;
mod wire;

use std::{fmt::Write, process::ExitCode};

use crate::{repeat::RunCounts, target::Target};

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::print_error(&format!("cannot start the runtime: {error}"));
            return ExitCode::from(2);
        }
    };
    let code = runtime.block_on(diagnose());
    // Does not wait for a lookup by the system's resolver, because it cannot be cancelled.
    runtime.shutdown_background();
    code
}

async fn diagnose() -> ExitCode {
    let (target, options) = match cli::parse() {
        Ok(parsed) => parsed,
        Err(code) => return code,
    };
    let embedded = target.is_none();
    let target = match target {
        Some(target) => Ok(target),
        None => demo_upstream::start()
            .await
            .map_err(|error| error.to_string())
            .and_then(|url| Target::parse(&url)),
    };
    let target = match target {
        Ok(target) => target,
        Err(error) => {
            output::print_error(&format!("cannot start the built-in upstream: {error}"));
            return ExitCode::from(2);
        }
    };
    let mut runs = RunCounts::default();
    let mut report = pipeline::diagnose(&target, &options, embedded).await;
    runs.record(&report);
    while runs.total < options.repeat {
        let next = pipeline::diagnose(&target, &options, embedded).await;
        runs.record(&next);
        // The report shows the first failure.
        if report.failure.is_none() {
            report = next;
        }
    }
    let text = if options.json {
        format!("{}\n", render::json::render(&report, &runs))
    } else {
        let mut text = render::text::render(&report, render::columns());
        if runs.total > 1 {
            // Writing to a string does not fail.
            let _ = writeln!(text, "\n  {}", runs.summary());
        }
        text
    };
    if let Err(error) = output::print(&text) {
        output::print_error(&format!("cannot write the report: {error}"));
        return ExitCode::from(2);
    }
    ExitCode::from(u8::from(runs.failed() > 0))
}
