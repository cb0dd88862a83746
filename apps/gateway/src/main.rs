//! A reverse proxy that demonstrates seawall.
//!
//! `cargo run -p seawall-gateway` starts upstreams that fail on purpose, load-tests each directly
//! and through seawall, and prints the results. Then it serves until Ctrl-C. `--upstream NAME=URL`
//! proxies to real servers, and `--config FILE` to the services that a file defines. All three
//! start the same engine with a different configuration.

mod access;
mod app;
mod call_stats;
mod cli;
mod client;

mod config;
mod dashboard;
mod demo;
mod dialect;
mod engine;
mod exit_error;
mod forward;
mod log;
mod metrics;
mod observe;
mod problem_document;
mod routing;
mod server;
mod shared_service;
mod upstream;

use std::{fmt::Display, io, process::ExitCode, time::Duration};

use app::App;
use cli::{Arguments, UpstreamArgument};
use config::{Config, Policy};
use dashboard::Dashboard;
use engine::{ConfigFile, ReloadableRouter};
use exit_error::ExitError;
use metrics_exporter_prometheus::PrometheusHandle;
use server::ServerStatus;
use tokio::{net::TcpListener, sync::watch};

/// After 10,000 concurrent requests, glibc's allocator retains four times the memory in use.
/// jemalloc returns unused memory within ten seconds.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::parse_or_exit_code() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            error.code()
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), ExitError> {
    let address = arguments.listen;
    let listen_error =
        |error: &dyn Display| ExitError::Usage(format!("cannot listen on {address}: {error}"));
    let listener = TcpListener::bind(address).await.map_err(|error| listen_error(&error))?;
    let listen = listener.local_addr().map_err(|error| listen_error(&error))?;
    let prometheus = metrics::install()
        .map_err(|error| ExitError::Failure(format!("cannot install metrics: {error}")))?;
    let is_demo = arguments.upstreams.is_empty() && arguments.config.is_none();
    let log = log::init(arguments.log, is_demo);
    let policy = policy_with_attempt_timeout(arguments.attempt_timeout);
    if is_demo {
        let demo = demo::Demo { policy, log };
        return demo.run(listener, arguments.once, prometheus).await;
    }
    let file = arguments.config.map(|path| ConfigFile { path, listen });
    let config = if let Some(file) = &file {
        file.load()?
    } else {
        let services = arguments.upstreams.into_iter();
        Config::with_services(services.map(|UpstreamArgument { name, url }| (name, url)), policy)
    };
    serve(&config, file, listener, prometheus).await
}

/// Serves the services of a configuration. SIGHUP reloads its file, if it has one.
async fn serve(
    config: &Config,
    file: Option<ConfigFile>,
    listener: TcpListener,
    prometheus: PrometheusHandle,
) -> Result<(), ExitError> {
    let serve_error = |error: io::Error| ExitError::Failure(format!("cannot serve: {error}"));
    let (shutdown, on_shutdown) = watch::channel(false);
    let dashboard = Dashboard::new(None, on_shutdown);
    let services = ReloadableRouter::start(config, dashboard.clone())?;
    let settings = services.server_settings();
    if let Some(file) = file {
        server::reload_on_sighup(services.clone(), file).map_err(serve_error)?;
    }
    let status = ServerStatus::default();
    let app = App::new(services, dashboard, prometheus, status.clone());
    let serving = server::serve_until_shutdown(listener, app, shutdown, settings, status);
    serving.await.map_err(serve_error)
}

/// Returns the policy of `--upstream` and of the demo.
fn policy_with_attempt_timeout(attempt: Duration) -> Policy {
    let total = attempt.max(Duration::from_secs(30));
    Policy { attempt, total, ..Policy::default() }
}
