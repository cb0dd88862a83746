//! A reverse proxy that shows what seawall does.
//!
//! `cargo run -p seawall-gateway` starts upstreams that fail on purpose, sends each of them traffic bare and through seawall,
//! prints what became of it, and keeps serving until Ctrl-C. `--upstream NAME=URL` proxies to real servers instead.

mod cli;
mod demo;
mod drive;
mod headers;
mod live;
mod llm;
mod log;
mod metrics;
mod policies;
mod proxy;
mod serve;
mod stats;
mod table;
mod traffic;
mod upstreams;
mod watch;

use std::{fmt::Display, io, path::PathBuf, process::ExitCode};

use cli::Arguments;
use metrics_exporter_prometheus::PrometheusHandle;
use policies::Policies;
use tokio::net::TcpListener;

/// glibc's allocator keeps what a burst took: after 10,000 requests at once, four times of what was in use. jemalloc gives it
/// back within ten seconds.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed::Usage(line)) => say(2, &line),
        Err(Failed::Verdict(line)) => say(1, &line),
    }
}

/// Why the program ends otherwise than well, in one line.
enum Failed {
    Usage(String),
    Verdict(String),
}

fn say(code: u8, line: &impl Display) -> ExitCode {
    eprintln!("{line}");
    ExitCode::from(code)
}

async fn run(arguments: Arguments) -> Result<(), Failed> {
    let address = arguments.listen;
    let usage = |error: &dyn Display| Failed::Usage(format!("cannot listen on {address}: {error}"));
    let listener = TcpListener::bind(address).await.map_err(|error| usage(&error))?;
    let counted =
        metrics::install().map_err(|error| Failed::Verdict(format!("cannot count: {error}")))?;
    let is_demo = arguments.upstreams.is_empty() && arguments.config.is_none();
    let log = log::start(arguments.log, is_demo);
    if let Some(path) = arguments.config {
        return follow(path, listener, counted).await;
    }
    let policies = Policies::with_attempt(arguments.attempt_timeout);
    if !arguments.upstreams.is_empty() {
        log.speak();
        let upstreams = arguments.upstreams.into_iter();
        let upstreams: Vec<_> = upstreams.map(|one| policies.upstream(one.name, one.url)).collect();
        let (tell, told) = tokio::sync::watch::channel(false);
        let live = live::Live::new(&upstreams, None, told);
        let router = proxy::router(upstreams, &policies, live, counted);
        return serve::until_told(listener, router, tell).await.map_err(|error| usage(&error));
    }
    demo::run(listener, &policies, arguments.attempt_timeout, arguments.once, &log, counted).await
}

/// Serves what a file says, and says what it said last.
async fn follow(
    path: PathBuf,
    listener: TcpListener,
    counted: PrometheusHandle,
) -> Result<(), Failed> {
    let broken = |error: io::Error| Failed::Verdict(format!("cannot serve: {error}"));
    let listen = listener.local_addr().map_err(broken)?;
    let usage = |fault: llm::Fault| Failed::Usage(fault.to_string());
    let config = llm::Config::read(&path, listen).map_err(usage)?;
    let (tell, told) = tokio::sync::watch::channel(false);
    let live = live::Live::new(&[], None, told);
    let current = llm::Current::start(path, listen, config, live.clone()).map_err(usage)?;
    serve::when_told_again(current.clone()).map_err(broken)?;
    let router = proxy::router_of_file(current, live, counted);
    serve::until_told(listener, router, tell).await.map_err(broken)
}
