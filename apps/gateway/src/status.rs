//! `/status`: the state of the gateway as JSON.

use std::time::Duration;

use axum::{Json, Router, http::header::CACHE_CONTROL, response::IntoResponse, routing::get};
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    engine::{ConfigStatus, ReloadableRouter, ServiceStatus},
    log,
};

#[derive(Serialize)]
struct Status {
    version: &'static str,
    uptime_seconds: u64,
    /// The number of requests at the upstreams of all services.
    requests_in_flight: usize,
    config: ConfigStatus,
    log: LogStatus,
    services: Vec<ServiceStatus>,
}

#[derive(Serialize)]
struct LogStatus {
    dropped_lines: u64,
}

/// Serves `/status`.
pub(crate) fn routes(services: ReloadableRouter) -> Router {
    let started = Instant::now();
    let status = async move || {
        let status = status(&services, started.elapsed());
        ([(CACHE_CONTROL, "no-store")], Json(status)).into_response()
    };
    Router::new().route("/status", get(status))
}

fn status(services: &ReloadableRouter, uptime: Duration) -> Status {
    let config = services.config_status();
    let services = services.service_statuses();
    Status {
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: uptime.as_secs(),
        requests_in_flight: services.iter().map(ServiceStatus::in_flight).sum(),
        config,
        log: LogStatus { dropped_lines: log::dropped_lines() },
        services,
    }
}
