//! The state of all services, for `/status`.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use seawall::{Failure, retry::Budget};
use serde::Serialize;
use serde_json::{Value, json};

use super::{endpoint::Endpoint, health::EndpointHealth, in_flight::InFlightCount};
use crate::{config::ServiceConfig, dialect::Dialect, upstream::Upstream};

/// The state of a service.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ServiceStatus {
    name: String,
    dialect: Option<Dialect>,
    /// The part of the allowed retries that the last 10 seconds used, from 0 to 1.
    retry_budget_used: Option<f64>,
    /// The number of requests at the upstreams, until the end of their responses.
    in_flight: usize,
    upstreams: Vec<UpstreamStatus>,
}

/// The state of an upstream.
#[derive(Clone, Debug, Serialize)]
struct UpstreamStatus {
    name: String,
    url: String,
    /// The environment variable with the API key.
    key: Option<String>,
    circuit: &'static str,
    available: bool,
    /// The time until the upstream is available.
    available_in_ms: Option<u64>,
    in_flight: usize,
    /// The number of requests sent since the start of the service, including retries.
    requests: u64,
    failures: u64,
    last_failure: Option<FailureStatus>,
}

#[derive(Clone, Debug, Serialize)]
struct FailureStatus {
    at: String,
    cause: &'static str,
    reporter: &'static str,
    status: Option<u16>,
    advice: &'static str,
}

impl ServiceStatus {
    pub(crate) const fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Returns the path, the dialect, the upstreams and the variables of their keys as one line.
    pub(crate) fn summary(&self) -> String {
        let dialect = self.dialect.map(|dialect| format!(" ({})", dialect.as_str()));
        let upstreams = self.upstreams.iter().map(|upstream| match &upstream.key {
            Some(key) => format!("{} key={key}", upstream.url),
            None => upstream.url.clone(),
        });
        let upstreams = upstreams.collect::<Vec<_>>().join(", ");
        format!("service /{}{}: {upstreams}", self.name, dialect.unwrap_or_default())
    }

    /// Returns the same facts as JSON.
    pub(crate) fn facts(&self) -> Value {
        let upstreams = self.upstreams.iter().map(
            |upstream| json!({ "name": upstream.name, "url": upstream.url, "key": upstream.key }),
        );
        let upstreams: Vec<_> = upstreams.collect();
        json!({ "name": self.name, "dialect": self.dialect, "upstreams": upstreams })
    }
}

/// The parts of a running service that its status shows.
///
/// # Clone
///
/// Clones share the state.
#[derive(Clone, Debug)]
pub(super) struct Monitor {
    name: Arc<str>,
    dialect: Option<Dialect>,
    budget: Budget,
    endpoints: Arc<[(Upstream, EndpointHealth, InFlightCount)]>,
}

impl Monitor {
    pub(super) fn new<S>(
        config: &ServiceConfig,
        budget: Budget,
        upstreams: &[Upstream],
        endpoints: &[Endpoint<S>],
    ) -> Self {
        let endpoints = upstreams.iter().zip(endpoints).map(|(upstream, endpoint)| {
            (upstream.clone(), endpoint.health.clone(), endpoint.in_flight.clone())
        });
        Self {
            name: config.name().into(),
            dialect: config.dialect,
            budget,
            endpoints: endpoints.collect(),
        }
    }

    /// Returns whether both are of one running service.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.endpoints, &other.endpoints)
    }

    pub(super) fn status(&self) -> ServiceStatus {
        let endpoints = self.endpoints.iter();
        let upstreams: Vec<_> = endpoints
            .map(|(upstream, health, in_flight)| upstream_status(upstream, health, in_flight))
            .collect();
        ServiceStatus {
            name: self.name.to_string(),
            dialect: self.dialect,
            retry_budget_used: self.budget.used_ratio(),
            in_flight: upstreams.iter().map(|upstream| upstream.in_flight).sum(),
            upstreams,
        }
    }
}

fn upstream_status(
    upstream: &Upstream,
    health: &EndpointHealth,
    in_flight: &InFlightCount,
) -> UpstreamStatus {
    let wait = health.time_to_available();
    let failures = health.failures();
    UpstreamStatus {
        name: upstream.name.to_string(),
        url: upstream.url.to_string(),
        key: upstream.key.as_ref().map(ToString::to_string),
        circuit: health.circuit_state().as_str(),
        available: wait.is_none(),
        available_in_ms: wait.map(millis),
        in_flight: in_flight.get(),
        requests: upstream.requests_sent.load(Ordering::Relaxed),
        failures: failures.count,
        last_failure: failures.last.map(|last| failure_status(last.at, &last.failure)),
    }
}

fn failure_status(at: String, failure: &Failure) -> FailureStatus {
    FailureStatus {
        at,
        cause: failure.cause().as_str(),
        reporter: failure.reporter().as_str(),
        status: failure.status().map(|status| status.as_u16()),
        advice: failure.advice(),
    }
}

fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}
