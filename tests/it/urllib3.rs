//! What urllib3 2.8.0 was recorded to decide, decided by `RetryLayer`.
//!
//! `tests/data/urllib3-vectors.jsonl`: a line about the recording, then one run a line: the arguments of
//! `urllib3.Retry`, the method, the outcome of each attempt in turn (the last repeats), and what the real loop did.
//! `tests/data/urllib3-more.jsonl` is another recording, more widely chosen; `record-urllib3.py` beside it makes such.
//! `SEAWALL_URLLIB3_VECTORS` names one more file of the same format, in place of both.

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

/// What a run did, in the words of the recording.
#[derive(Debug, PartialEq)]
struct Run {
    attempts: usize,
    sleeps: Vec<Duration>,
    end: Value,
}

/// The largest time between two sleeps that counts as the same: a timer's tick, and the rounding of the recording.
const TICK: Duration = Duration::from_millis(2);

/// `jitter` is what chance may have added on either side.
fn agree(ours: &Run, theirs: &Run, jitter: Duration) -> bool {
    let same = |(a, b): (&Duration, &Duration)| a.abs_diff(*b) <= TICK + jitter;
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

/// A counter: a number, or `null` for none; absent means `default`. `false` is no retry either, and differs from 0 in how
/// it ends: see [`end`].
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

/// The arguments of `urllib3.Retry` that are known here. Redirects are off in all recordings.
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

/// `urllib3.Retry(**config)`, setting by setting.
fn layer(config: &Value) -> RetryLayer {
    for name in config.as_object().unwrap().keys() {
        assert!(ARGUMENTS.contains(&&**name), "an argument that this test does not know: {name}");
    }
    let backoff = Backoff::urllib3(seconds(config, "backoff_factor", 0.0))
        .unwrap()
        .max(Duration::from_secs_f64(seconds(config, "backoff_max", 120.0)));
    let backoff = match jitter(config) {
        Duration::ZERO => backoff,
        jitter => backoff.added_jitter(jitter),
    };
    let layer = RetryLayer::new()
        .max_retries(counter(config, "total", Some(10)))
        .max_connect_retries(counter(config, "connect", None))
        .max_read_retries(counter(config, "read", None))
        .max_status_retries(counter(config, "status", None))
        .max_other_retries(counter(config, "other", None))
        .retry_statuses(statuses(config))
        .retry_statuses_with_retry_after([413, 429, 503])
        .backoff(backoff)
        .respect_retry_after(flag(config, "respect_retry_after_header", true))
        .max_retry_after(Duration::from_secs_f64(seconds(config, "retry_after_max", 21_600.0)))
        .clamp_retry_after(true)
        .retry_after_jitter(false)
        .max_total_delay(Duration::MAX)
        .error_on_exhausted_status(flag(config, "raise_on_status", true))
        .budget(Budget::none());
    match config.get("allowed_methods") {
        None => layer,
        // An empty collection means any, to urllib3 2.
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
        // By an error, so that it is counted.
        "connection_refused" => Step::error(|| io::Error::from(ErrorKind::ConnectionRefused)),
        "read_timeout" => Step::error(|| io::Error::from(ErrorKind::TimedOut)),
        "connection_reset" => Step::reset(),
        // A handshake comes before the request.
        "tls" => unsent(Cause::TlsProtocolError),
        other => panic!("an outcome that this test does not know: {other}"),
    }
}

/// urllib3's name for an error.
fn kind(error: &(dyn Error + 'static)) -> &'static str {
    let failure = seawall::classify::classify_error(error);
    match (failure.cause(), failure.status()) {
        (_, Some(_)) => "ResponseError",
        (Cause::ConnectionTimeout, _) => "ConnectTimeoutError",
        (Cause::ConnectionRefused, _) => "NewConnectionError",
        (Cause::HttpResponseTimeout, _) => "ReadTimeoutError",
        (Cause::ConnectionTerminated, _) => "ProtocolError",
        (Cause::TlsProtocolError, _) => "SSLError",
        (cause, _) => panic!("an error that no script has: {cause}"),
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
    let times: Vec<_> = upstream.received().iter().map(ReceivedRequest::at).collect();
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

/// The recording's words for how it ended. urllib3 raises the error itself where the method forbids a retry or the
/// counter of an error is `false`, and `MaxRetryError` where a counter that is a number does.
fn end(config: &Value, result: Result<Response<FlakyBody>, BoxError>, stop: Option<&str>) -> Value {
    match result {
        Ok(response) => {
            let marked =
                response.extensions().get::<RetryReport>().and_then(RetryReport::stop_reason);
            assert_eq!(marked.map(StopReason::as_str), stop);
            serde_json::json!({ "status": response.status().as_u16() })
        }
        Err(error) => {
            if let Some(gave_up) = find_source::<RetriesExhausted>(&*error) {
                assert_eq!(Some(gave_up.reason().as_str()), stop);
                let head = gave_up.last_response().map(Response::status);
                let failed = seawall::classify::classify_error(&*error).status();
                assert!(failed.is_none() || failed == head);
            }
            let kind = kind(&*error);
            let is_off = |counter: &str| config.get(counter) == Some(&Value::Bool(false));
            let raised = match kind {
                "ResponseError" => false,
                "ConnectTimeoutError" | "NewConnectionError" => {
                    is_off("total") || is_off("connect")
                }
                "ReadTimeoutError" | "ProtocolError" => is_off("total") || is_off("read"),
                _ => is_off("total"),
            };
            let raised = raised || stop == Some("method_not_allowed");
            let end = if raised { "raised" } else { "gave_up_on" };
            serde_json::json!({ end: kind })
        }
    }
}

#[tokio::test(start_paused = true)]
async fn retry_matches_recorded_urllib3_runs() {
    if let Ok(file) = std::env::var("SEAWALL_URLLIB3_VECTORS") {
        return repeat(&file).await;
    }
    repeat(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/urllib3-vectors.jsonl")).await;
    repeat(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/urllib3-more.jsonl")).await;
}

async fn repeat(file: &str) {
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
