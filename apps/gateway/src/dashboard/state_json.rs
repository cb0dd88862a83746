//! The JSON snapshot of all upstreams, circuits and failures.

use std::{num::NonZeroU32, time::Duration};

use seawall::circuit_breaker::Snapshot;
use serde::Serialize;
use tokio::time::Instant;

use super::{Dashboard, Fault};
use crate::{
    call_stats::{Counts, FailureGroup},
    upstream::Upstream,
};

/// The width of a bar in the chart.
const SLOT_SECONDS: usize = 5;

/// The maximum number of failure groups in a snapshot. Those that occurred last are kept.
const MAX_FAILURES: usize = 50;

#[derive(Serialize)]
struct DashboardState<'a> {
    slot_seconds: usize,
    demo: Option<DemoState>,
    upstreams: Vec<UpstreamState<'a>>,
    failures: Vec<FailureState<'a>>,
}

#[derive(Serialize)]
struct DemoState {
    /// Whether the load test is running. The controls are disabled until it ends.
    load_test_running: bool,
    background_load: bool,
    /// The faults that every upstream can have, besides its own.
    faults: Vec<FaultState>,
}

#[derive(Serialize)]
struct FaultState {
    id: &'static str,
    description: &'static str,
}

#[derive(Serialize)]
struct UpstreamState<'a> {
    name: &'a str,
    /// The current behavior of a demo upstream.
    behavior: Option<&'static str>,
    /// The description of the upstream's own fault.
    fault: Option<&'static str>,
    fault_injected: Option<bool>,
    circuit: CircuitState,
    /// The counts of the last five minutes, oldest first.
    slots: Vec<Counts>,
    /// The counts of the last minute.
    minute: Counts,
    latency: Option<LatencyState>,
}

/// The percentiles of the last minute.
#[derive(Serialize)]
struct LatencyState {
    p50_ms: f64,
    p95_ms: f64,
}

#[derive(Serialize)]
struct CircuitState {
    state: &'static str,
    since_ms: u64,
    next_probe_ms: Option<u64>,
    calls: u64,
    failures: u64,
    rejected: u64,
    /// The cause that last opened the circuit.
    cause: Option<&'static str>,
    reporter: Option<&'static str>,
    advice: Option<&'static str>,
}

#[derive(Serialize)]
struct FailureState<'a> {
    upstream: &'a str,
    #[serde(skip)]
    last_at: Instant,
    first_ago_ms: u64,
    ago_ms: u64,
    count: u64,
    status: Option<u16>,
    cause: &'static str,
    reporter: &'static str,
    processed: &'static str,
    advice: &'static str,
    evidence: Option<&'static str>,
    attempts: NonZeroU32,
    recovered: bool,
    stop_reason: Option<&'static str>,
}

pub(super) fn snapshot(dashboard: &Dashboard) -> String {
    let upstreams = dashboard.upstreams();
    let mut failures: Vec<_> = upstreams
        .iter()
        .flat_map(|upstream| {
            let groups = upstream.stats.failure_groups().into_iter();
            groups.map(|group| failure_state(&upstream.name, &group))
        })
        .collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.last_at));
    failures.truncate(MAX_FAILURES);
    let demo = dashboard.demo.as_deref();
    let state = DashboardState {
        slot_seconds: SLOT_SECONDS,
        demo: demo.map(|demo| DemoState {
            load_test_running: demo.load_test_running(),
            background_load: demo.background_load(),
            faults: demo.common_faults().iter().map(fault_state).collect(),
        }),
        upstreams: upstreams.iter().map(|upstream| upstream_state(dashboard, upstream)).collect(),
        failures,
    };
    // Infallible: the state contains only numbers and strings.
    serde_json::to_string(&state).unwrap_or_default()
}

fn upstream_state<'a>(dashboard: &Dashboard, upstream: &'a Upstream) -> UpstreamState<'a> {
    let demo = dashboard.demo.as_deref().and_then(|demo| demo.find(&upstream.name));
    UpstreamState {
        name: &upstream.name,
        behavior: demo.map(|(_, demo)| demo.behavior()),
        fault: demo.map(|(_, demo)| demo.fault.description),
        fault_injected: demo.map(|(_, demo)| demo.fault_injected()),
        circuit: circuit_state(&upstream.circuit.snapshot()),
        slots: upstream.stats.slots(SLOT_SECONDS),
        minute: upstream.stats.last_minute(),
        latency: upstream.stats.latency().map(|[p50, p95]| LatencyState {
            p50_ms: p50.as_secs_f64() * 1e3,
            p95_ms: p95.as_secs_f64() * 1e3,
        }),
    }
}

fn circuit_state(snapshot: &Snapshot) -> CircuitState {
    let failure = snapshot.opened_by();
    CircuitState {
        state: snapshot.state().as_str(),
        since_ms: millis(snapshot.time_in_state()),
        next_probe_ms: snapshot.next_probe().map(millis),
        calls: snapshot.calls(),
        failures: snapshot.failures(),
        rejected: snapshot.rejected(),
        cause: failure.map(|failure| failure.cause().as_str()),
        reporter: failure.map(|failure| failure.reporter().as_str()),
        advice: failure.map(seawall::Failure::advice),
    }
}

fn failure_state<'a>(upstream: &'a str, group: &FailureGroup) -> FailureState<'a> {
    let failure = &group.latest.failure;
    FailureState {
        upstream,
        last_at: group.last_at,
        first_ago_ms: millis(group.first_at.elapsed()),
        ago_ms: millis(group.last_at.elapsed()),
        count: group.count,
        status: failure.status().map(|status| status.as_u16()),
        cause: failure.cause().as_str(),
        reporter: failure.reporter().as_str(),
        processed: failure.processed().as_str(),
        advice: failure.advice(),
        evidence: group.latest.evidence,
        attempts: group.latest.attempts,
        recovered: group.recovered,
        stop_reason: group.latest.stop_reason.map(seawall::retry::StopReason::as_str),
    }
}

fn fault_state(fault: &Fault) -> FaultState {
    FaultState { id: fault.id, description: fault.description }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
