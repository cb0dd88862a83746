//! How everything is at one moment, as JSON.

use std::{num::NonZeroU32, time::Duration};

use seawall::circuit_breaker::{Snapshot, State};
use serde::Serialize;
use tokio::time::Instant;

use super::Live;
use crate::{
    proxy::Upstream,
    stats::{Counts, Line},
};

/// The width of a bar, in seconds.
const SLOT: usize = 5;

/// How many lines of failures are told, the newest first.
const LINES: usize = 50;

#[derive(Serialize)]
struct Now<'a> {
    slot_seconds: usize,
    demo: Option<DemoNow>,
    upstreams: Vec<UpstreamNow<'a>>,
    failures: Vec<FailureNow<'a>>,
}

#[derive(Serialize)]
struct DemoNow {
    /// Whether the upstreams are being measured, and are not to be touched.
    measuring: bool,
    traffic: bool,
}

#[derive(Serialize)]
struct UpstreamNow<'a> {
    name: &'a str,
    /// What it does, and whether it can be healed: of embedded ones.
    does: Option<&'static str>,
    broken: Option<bool>,
    circuit: CircuitNow,
    /// Of five minutes, oldest first: succeeded, mended, failed, refused.
    slots: Vec<Counts>,
    minute: Counts,
}

#[derive(Serialize)]
struct CircuitNow {
    state: &'static str,
    since_ms: u64,
    next_probe_ms: Option<u64>,
    calls: u64,
    failures: u64,
    refused: u64,
    /// What opened it last.
    cause: Option<&'static str>,
    reporter: Option<&'static str>,
    advice: Option<&'static str>,
}

#[derive(Serialize)]
struct FailureNow<'a> {
    upstream: &'a str,
    #[serde(skip)]
    first: Instant,
    first_ago_ms: u64,
    ago_ms: u64,
    count: u64,
    status: Option<u16>,
    cause: &'static str,
    reporter: &'static str,
    processed: &'static str,
    advice: &'static str,
    note: Option<&'static str>,
    attempts: NonZeroU32,
    mended: bool,
    stop: Option<&'static str>,
}

pub(super) fn json(live: &Live) -> String {
    let upstreams = live.upstreams();
    let mut failures: Vec<_> = upstreams
        .iter()
        .flat_map(|upstream| {
            upstream.stats.lines().into_iter().map(|line| of(&upstream.name, &line))
        })
        .collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.first));
    failures.truncate(LINES);
    let demo = live.demo.as_deref();
    let now = Now {
        slot_seconds: SLOT,
        demo: demo.map(|demo| DemoNow { measuring: demo.is_measuring(), traffic: demo.sends() }),
        upstreams: upstreams.iter().map(|upstream| upstream_now(live, upstream)).collect(),
        failures,
    };
    // Numbers and strings only: it does not fail.
    serde_json::to_string(&now).unwrap_or_default()
}

fn upstream_now<'a>(live: &Live, upstream: &'a Upstream) -> UpstreamNow<'a> {
    let embedded = live.demo.as_deref().and_then(|demo| demo.find(&upstream.name));
    UpstreamNow {
        name: &upstream.name,
        does: embedded.map(|(_, embedded)| embedded.does()),
        broken: embedded.map(|(_, embedded)| embedded.is_broken()),
        circuit: circuit(upstream.circuit().as_ref()),
        slots: upstream.stats.slots(SLOT),
        minute: upstream.stats.minute(),
    }
}

/// Nothing has been asked of an upstream that has no circuit yet.
fn circuit(snapshot: Option<&Snapshot>) -> CircuitNow {
    let failure = snapshot.and_then(Snapshot::opened_by);
    CircuitNow {
        state: snapshot.map_or(State::Closed, Snapshot::state).as_str(),
        since_ms: snapshot.map_or(0, |snapshot| ms(snapshot.time_in_state())),
        next_probe_ms: snapshot.and_then(Snapshot::next_probe).map(ms),
        calls: snapshot.map_or(0, Snapshot::calls),
        failures: snapshot.map_or(0, Snapshot::failures),
        refused: snapshot.map_or(0, Snapshot::rejected),
        cause: failure.map(|failure| failure.cause().as_str()),
        reporter: failure.map(|failure| failure.reporter().as_str()),
        advice: failure.map(|failure| failure.cause().advice()),
    }
}

fn of<'a>(upstream: &'a str, line: &Line) -> FailureNow<'a> {
    let failure = &line.failed.failure;
    FailureNow {
        upstream,
        first: line.first,
        first_ago_ms: ms(line.first.elapsed()),
        ago_ms: ms(line.last.elapsed()),
        count: line.count,
        status: failure.status().map(|status| status.as_u16()),
        cause: failure.cause().as_str(),
        reporter: failure.reporter().as_str(),
        processed: failure.processed().as_str(),
        advice: failure.cause().advice(),
        note: line.failed.note,
        attempts: line.failed.attempts,
        mended: line.mended,
        stop: line.failed.stop.map(seawall::retry::StopReason::as_str),
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
