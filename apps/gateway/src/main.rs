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
mod latency;
mod log;
mod metrics;
mod observe;
mod problem_document;
mod routing;
mod server;
mod shared_service;
mod startup;
mod status;
mod terminal;
mod upstream;

use std::{
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use app::App;
use cli::{Arguments, LogFormat, NotStarted, UpstreamArgument};
use config::{Config, Policy};
use dashboard::Dashboard;
use engine::{ConfigFile, ReloadableRouter};
use exit_error::ExitError;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::Map;
use server::ServerStatus;
use tokio::{net::TcpListener, runtime::Runtime, sync::watch};
use tracing::Level;

/// After 10,000 concurrent requests, glibc's allocator retains four times the memory in use.
/// jemalloc returns unused memory within ten seconds.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments = Arguments::from_command_line();
    let format =
        arguments.as_ref().map_or_else(|_| LogFormat::of_command_line(), |arguments| arguments.log);
    // Dropped last, so that the log contains the requests that the end of the runtime cancels.
    let _log = match log::start(format) {
        Ok(log) => log,
        Err(error) => {
            let _ = writeln!(io::stderr(), "cannot start the thread of the log: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = match arguments {
        Ok(arguments) => run_to_end(arguments),
        Err(NotStarted::Help(text)) => {
            log::print_line(&text.trim_end());
            Ok(())
        }
        Err(NotStarted::Error(error)) => Err(error),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    let status = error.status();
    let fields = Map::from_iter([("exit_status".to_owned(), status.into())]);
    log::notice_with(Level::ERROR, &error, fields);
    ExitCode::from(status)
}

fn run_to_end(arguments: Arguments) -> Result<(), ExitError> {
    let runtime = Runtime::new()
        .map_err(|error| ExitError::Failure(format!("cannot start the runtime: {error}")))?;
    runtime.block_on(run(arguments))
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
    let log = log::start_events(is_demo);
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
    startup::log_services(&services.service_statuses());
    startup::log_dashboard(settings.scheme().as_str(), listener.local_addr().map_err(serve_error)?);
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
