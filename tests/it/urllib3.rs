//! Compares the decisions of `RetryLayer` with recorded decisions of urllib3 2.8.0.
//!
//! The first line of `tests/data/urllib3-vectors.jsonl` describes the recording. Each further line
//! is one run: the arguments of `urllib3.Retry`, the method, the outcome of each attempt (the last
//! one repeats), and the behavior of urllib3. `tests/data/urllib3-more.jsonl` is a second recording
//! with a wider choice of arguments. The script `record-urllib3.py` in the same directory makes
//! recordings. The environment variable `SEAWALL_URLLIB3_VECTORS` replaces both files by another
//! one.

use std::{
    error::Error,
    fs,
    io::{self, ErrorKind},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Empty;
use seawall::{
    BoxError, Cause, Failure, Processed, find_source,
    retry::{Backoff, Budget, RetriesExhausted, RetryLayer, RetryReport, StopReason},
    test_util::{FlakyBody, ReceivedRequest, Script, Step},
};
use serde_json::Value;
use tower::{Layer, ServiceExt};
use tracing::level_filters::LevelFilter;

use crate::{log_capture::Recorder, support::upstream};

type Body = Empty<Bytes>;

/// The behavior in one run, in the terms of the recording.
#[derive(Debug, PartialEq)]
struct Run {
    attempts: usize,
    sleeps: Vec<Duration>,
    end: Value,
}

/// The tolerance for two equal sleeps: one timer tick plus the rounding of the recording.
const TOLERANCE: Duration = Duration::from_millis(2);

/// Returns true if both runs behave alike. `jitter` is the maximum jitter of either run.
fn agree(ours: &Run, theirs: &Run, jitter: Duration) -> bool {
    let same = |(a, b): (&Duration, &Duration)| a.abs_diff(*b) <= TOLERANCE + jitter;
    ours.attempts == theirs.attempts
        && ours.end == theirs.end
        && ours.sleeps.len() == theirs.sleeps.len()
        && ours.sleeps.iter().zip(&theirs.sleeps).all(same)
}

fn recorded(vector: &Value) -> Run {
    let urllib3 = &vector["urllib3"];
    let sleeps = urllib3["sleeps"].as_array().unwrap().iter();
    Run {
        attempts: usize::try_from(urllib3["attempts"].as_u64().unwrap()).unwrap(),
        sleeps: sleeps.map(|sleep| Duration::from_secs_f64(sleep.as_f64().unwrap())).collect(),
        end: urllib3["end"].clone(),
    }
}

/// Returns a retry counter: a number, or `None` (no limit) for `null`.
///
/// An absent counter means `default`. `false` forbids retries like 0, but ends the run differently:
/// see [`end`].
fn counter(config: &Value, name: &str, default: Option<u32>) -> Option<u32> {
    match config.get(name) {
        None => default,
        Some(Value::Null) => None,
        Some(Value::Bool(false)) => Some(0),
        Some(number) => Some(u32::try_from(number.as_u64().unwrap()).unwrap()),
    }
}

fn seconds(config: &Value, name: &str, default: f64) -> f64 {
    config.get(name).map_or(default, |number| number.as_f64().unwrap())
}

fn flag(config: &Value, name: &str, default: bool) -> bool {
    config.get(name).map_or(default, |flag| flag.as_bool().unwrap())
}

fn statuses(config: &Value) -> Vec<u16> {
    let list = config.get("status_forcelist").and_then(Value::as_array);
    let numbers = list.into_iter().flatten();
    numbers.map(|number| u16::try_from(number.as_u64().unwrap()).unwrap()).collect()
}

/// The arguments of `urllib3.Retry` that this test supports. All recordings disable redirects.
const ARGUMENTS: &[&str] = &[
    "total",
    "connect",
    "read",
    "status",
    "other",
    "allowed_methods",
    "status_forcelist",
    "backoff_factor",
    "backoff_max",
    "backoff_jitter",
    "raise_on_status",
    "respect_retry_after_header",
    "retry_after_max",
];

fn jitter(config: &Value) -> Duration {
    Duration::from_secs_f64(seconds(config, "backoff_jitter", 0.0))
}

/// Returns the layer that corresponds to `urllib3.Retry(**config)`.
type Setter = fn(RetryLayer, u32) -> RetryLayer;

fn layer(config: &Value) -> RetryLayer {
    for name in config.as_object().unwrap().keys() {
        assert!(ARGUMENTS.contains(&&**name), "unsupported argument of urllib3.Retry: {name}");
    }
    let backoff = Backoff::urllib3(seconds(config, "backoff_factor", 0.0))
        .unwrap()
        .max(Duration::from_secs_f64(seconds(config, "backoff_max", 120.0)));
    let backoff = match jitter(config) {
        Duration::ZERO => backoff,
        jitter => backoff.added_jitter(jitter),
    };
    let mut layer = RetryLayer::new().without_max_retries();
    let setters: [(&str, Option<u32>, Setter); 5] = [
        ("total", Some(10), RetryLayer::max_retries),
        ("connect", None, RetryLayer::max_connect_retries),
        ("read", None, RetryLayer::max_read_retries),
        ("status", None, RetryLayer::max_status_retries),
        ("other", None, RetryLayer::max_other_retries),
    ];
    for (name, default, set) in setters {
        if let Some(max) = counter(config, name, default) {
            layer = set(layer, max);
        }
    }
    let layer = layer
        .retry_statuses(statuses(config))
        .retry_statuses_with_retry_after([413, 429, 503])
        .backoff(backoff)
        .respect_retry_after(flag(config, "respect_retry_after_header", true))
        .max_retry_after(Duration::from_secs_f64(seconds(config, "retry_after_max", 21_600.0)))
        .clamp_retry_after(true)
        .jitter_retry_after(false)
        .max_total_delay(Duration::MAX)
        .error_on_exhausted_status(flag(config, "raise_on_status", true))
        .budget(Budget::none());
    match config.get("allowed_methods") {
        None => layer,
        // In urllib3 2, an empty collection allows any method.
        Some(Value::Array(methods)) if !methods.is_empty() => layer.retry_methods(
            methods.iter().map(|method| method.as_str().unwrap().parse::<Method>().unwrap()),
        ),
        Some(_) => layer.retry_all_methods(),
    }
}

fn step(step: &Value) -> Step {
    if let Some(status) = step["status"].as_u64() {
        let mut response = Step::status(u16::try_from(status).unwrap());
        for (name, value) in step["headers"].as_object().into_iter().flatten() {
            response = response.header(name, value.as_str().unwrap());
        }
        return response;
    }
    let unsent = |cause| Step::error(move || Failure::new(cause).with_processed(Processed::No));
    match step["error"].as_str().unwrap() {
        "connect_timeout" => unsent(Cause::ConnectionTimeout),
        // `Step::error` counts the attempt, whereas `Step::refuse` does not.
        "connection_refused" => Step::error(|| io::Error::from(ErrorKind::ConnectionRefused)),
        "read_timeout" => Step::error(|| io::Error::from(ErrorKind::TimedOut)),
        "connection_reset" => Step::reset(),
        // The handshake precedes the request.
        "tls" => unsent(Cause::TlsProtocolError),
        other => panic!("unsupported outcome in the recording: {other}"),
    }
}

/// Returns urllib3's name of an error.
fn urllib3_name(error: &(dyn Error + 'static)) -> &'static str {
    let failure = seawall::classify::classify_error(error);
    match (failure.cause(), failure.status()) {
        (_, Some(_)) => "ResponseError",
        (Cause::ConnectionTimeout, _) => "ConnectTimeoutError",
        (Cause::ConnectionRefused, _) => "NewConnectionError",
        (Cause::HttpResponseTimeout, _) => "ReadTimeoutError",
        (Cause::ConnectionTerminated, _) => "ProtocolError",
        (Cause::TlsProtocolError, _) => "SSLError",
        (cause, _) => panic!("unexpected cause, no script contains it: {cause}"),
    }
}

async fn run(vector: &Value) -> Run {
    let config = &vector["config"];
    let mut script: Vec<_> = vector["script"].as_array().unwrap().iter().map(step).collect();
    let last = script.pop().unwrap();
    let upstream = upstream(Script::from_iter(script).then_repeat(last));
    let method: Method = vector["method"].as_str().unwrap().parse().unwrap();
    let request = Request::builder().method(method).uri("http://upstream/").body(Body::new());
    let service = layer(config).layer(upstream.clone());
    let (stops, _guard) = Recorder::start(LevelFilter::DEBUG);
    let result = service.oneshot(request.unwrap()).await;
    let stop = stops.events().iter().find_map(|event| event.get("stop_reason").map(String::from));
    let times: Vec<_> = upstream.received().iter().map(ReceivedRequest::time_since_start).collect();
    Run {
        attempts: times.len(),
        sleeps: times
            .windows(2)
            .map(|pair| pair[1].saturating_sub(pair[0]))
            .filter(|sleep| !sleep.is_zero())
            .collect(),
        end: end(config, result, stop.as_deref()),
    }
}

/// Returns the end of a run in the terms of the recording.
///
/// If the method forbids a retry or the counter of an error is `false`, urllib3 raises the error
/// itself. If a numeric counter is exhausted, urllib3 raises `MaxRetryError`.
fn end(config: &Value, result: Result<Response<FlakyBody>, BoxError>, stop: Option<&str>) -> Value {
    match result {
        Ok(response) => {
            let reported =
                response.extensions().get::<RetryReport>().and_then(RetryReport::stop_reason);
            assert_eq!(reported.map(StopReason::as_str), stop);
            serde_json::json!({ "status": response.status().as_u16() })
        }
        Err(error) => {
            if let Some(exhausted) = find_source::<RetriesExhausted>(&*error) {
                assert_eq!(Some(exhausted.stop_reason().as_str()), stop);
                let head = exhausted.last_response().map(Response::status);
                let failed = seawall::classify::classify_error(&*error).status();
                assert!(failed.is_none() || failed == head);
            }
            let name = urllib3_name(&*error);
            let is_off = |counter: &str| config.get(counter) == Some(&Value::Bool(false));
            let raised = match name {
                "ResponseError" => false,
                "ConnectTimeoutError" | "NewConnectionError" => {
                    is_off("total") || is_off("connect")
                }
                "ReadTimeoutError" | "ProtocolError" => is_off("total") || is_off("read"),
                _ => is_off("total"),
            };
            let raised = raised || stop == Some("method_not_allowed");
            let end = if raised { "raised" } else { "gave_up_on" };
            serde_json::json!({ end: name })
        }
    }
}

#[tokio::test(start_paused = true)]
async fn retry_matches_recorded_urllib3_runs() {
    if let Ok(file) = std::env::var("SEAWALL_URLLIB3_VECTORS") {
        return assert_runs_match(&file).await;
    }
    assert_runs_match(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/urllib3-vectors.jsonl"))
        .await;
    assert_runs_match(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/urllib3-more.jsonl")).await;
}

async fn assert_runs_match(file: &str) {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let vectors: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line.get("urllib3").is_some_and(Value::is_object))
        .collect();
    let mut agreed = 0;
    for vector in &vectors {
        let (ours, theirs) = (run(vector).await, recorded(vector));
        if agree(&ours, &theirs, jitter(&vector["config"])) {
            agreed += 1;
        } else {
            println!("{vector}\n  urllib3: {theirs:?}\n  seawall: {ours:?}");
        }
    }
    println!("{} vectors, {agreed} agree", vectors.len());
    assert!(!vectors.is_empty());
    assert_eq!(agreed, vectors.len());
}
