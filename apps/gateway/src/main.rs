//! A reverse proxy that demonstrates seawall.
//!
//! `cargo run -p seawall-gateway` starts upstreams that fail on purpose, load-tests each directly
//! and through seawall, and prints the results. Then it serves until Ctrl-C. `--upstream NAME=URL`
//! proxies to real servers, and `--config FILE` to the services that a file defines.

mod app;
mod call_stats;
mod cli;
mod client;
mod dashboard;
mod demo;
mod exit_error;
mod forward;
mod llm;
mod log;
mod metrics;
mod observe;
mod policies;
mod routing;
mod server;
mod upstream;

use std::{fmt::Display, io, path::PathBuf, process::ExitCode};

use cli::{Arguments, UpstreamArgument};
use dashboard::Dashboard;
use exit_error::ExitError;
use metrics_exporter_prometheus::PrometheusHandle;
use policies::Policies;
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
    let prometheus = metrics::install()
        .map_err(|error| ExitError::Failure(format!("cannot install metrics: {error}")))?;
    let is_demo = arguments.upstreams.is_empty() && arguments.config.is_none();
    let log = log::init(arguments.log, is_demo);
    if let Some(path) = arguments.config {
        return serve_config(path, listener, prometheus).await;
    }
    let policies = Policies::with_attempt_timeout(arguments.attempt_timeout);
    if is_demo {
        let demo = demo::Demo { policies, attempt_timeout: arguments.attempt_timeout, log };
        return demo.run(listener, arguments.once, prometheus).await;
    }
    let upstreams: Vec<_> = arguments
        .upstreams
        .into_iter()
        .map(|UpstreamArgument { name, url }| policies.upstream(name, url))
        .collect();
    let (shutdown, on_shutdown) = watch::channel(false);
    let dashboard = Dashboard::new(&upstreams, None, on_shutdown);
    let app = app::upstreams_router(upstreams, &policies, dashboard, prometheus)?;
    server::serve_until_shutdown(listener, app, shutdown)
        .await
        .map_err(|error| listen_error(&error))
}

/// Serves the services that a configuration file defines. SIGHUP reloads the file.
async fn serve_config(
    path: PathBuf,
    listener: TcpListener,
    prometheus: PrometheusHandle,
) -> Result<(), ExitError> {
    let serve_error = |error: io::Error| ExitError::Failure(format!("cannot serve: {error}"));
    let config_error = |error: llm::ConfigError| ExitError::Usage(error.to_string());
    let listen = listener.local_addr().map_err(serve_error)?;
    let config = llm::Config::load(&path, listen).map_err(config_error)?;
    let (shutdown, on_shutdown) = watch::channel(false);
    let dashboard = Dashboard::new(&[], None, on_shutdown);
    let services = llm::ReloadableRouter::start(path, listen, config, dashboard.clone())
        .map_err(config_error)?;
    server::reload_on_sighup(services.clone()).map_err(serve_error)?;
    let app = app::config_router(services, dashboard, prometheus);
    server::serve_until_shutdown(listener, app, shutdown).await.map_err(serve_error)
}
