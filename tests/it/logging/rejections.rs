//! Rejected calls: a call whose attempts open a circuit, and summaries of rejections.

use std::num::NonZeroU32;

use http::StatusCode;
use seawall::{
    circuit_breaker::CircuitBreakerLayer,
    error_response::ErrorResponseLayer,
    in_flight::InFlightLimitLayer,
    keys::by_authority,
    retry::{Backoff, RetryLayer},
    standard::{StandardLayer, Timeouts},
    test_util::{FlakyService, Step},
};
use tokio::{task::yield_now, time::advance};
use tower::ServiceBuilder;
use tracing::Level as TracingLevel;

use super::*;
use crate::support::upstream;

const MINUTE: Duration = Duration::from_secs(60);

fn opens_at_two() -> CircuitBreakerLayer {
    CircuitBreakerLayer::new().consecutive_failures(NonZeroU32::new(2).unwrap())
}

fn warnings(recorder: &Recorder) -> Vec<Line> {
    recorder.lines().into_iter().filter(|line| line.level == TracingLevel::WARN).collect()
}

/// Asserts that one line at WARN has the reset of the attempts, and that the circuit stopped them.
#[track_caller]
fn assert_one_warning(recorder: &Recorder) {
    let warnings = warnings(recorder);
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    let line = &warnings[0];
    assert_eq!(line.get("seawall.cause"), Some("connection_terminated"));
    assert_eq!(line.get("seawall.stop_reason"), Some("circuit_open"));
    assert!(
        line.message().contains("connection terminated (detected locally"),
        "{}",
        line.message()
    );
    assert!(line.message().contains("3 attempts (circuit open)"), "{}", line.message());
}

/// Two attempts are reset and open the circuit, which rejects the third one.
#[tokio::test(start_paused = true)]
async fn log_warns_with_last_cause_when_attempts_open_circuit() {
    let upstream = upstream(Step::reset());

    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let client = StandardLayer::new("billing").circuit_breaker(opens_at_two());
    client.layer(upstream.clone()).oneshot(get("http://billing/")).await.unwrap_err();
    assert_one_warning(&recorder);

    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let gateway = StandardLayer::gateway("edge").circuit_breaker(opens_at_two());
    let response = gateway.layer(upstream.clone()).oneshot(get("http://billing/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    drop(response);
    assert_one_warning(&recorder);
    assert_eq!(upstream.requests(), 4);
}

#[tokio::test(start_paused = true)]
async fn access_log_warns_with_last_cause_when_client_has_no_log() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let server = ServiceBuilder::new()
        .layer(LoggingLayer::server())
        .layer(ErrorResponseLayer::new("edge"))
        .layer(RetryLayer::new().backoff(Backoff::none()))
        .layer(opens_at_two())
        .service(upstream(Step::reset()));
    drop(server.oneshot(get("http://billing/")).await.unwrap());
    assert_one_warning(&recorder);
}

#[tokio::test(start_paused = true)]
async fn log_does_not_warn_when_circuit_rejects_first_attempt() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let layer = StandardLayer::gateway("edge");
    let gateway = layer.layer(upstream(Step::ok("")));
    drop(gateway.clone().oneshot(get("http://billing/")).await.unwrap());
    layer.circuits().get("billing").unwrap().force_open();
    assert_eq!(gateway.oneshot(get("http://billing/")).await.unwrap().status(), 503);
    assert_eq!(warnings(&recorder).len(), 0);
}

/// Returns the messages of an in-flight limit of 1.
async fn reject(hosts: &[&str], rejections: u32, pause: Duration) -> Vec<Line> {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let hour = Duration::from_secs(3_600);
    let gateway = StandardLayer::gateway("edge")
        .in_flight(InFlightLimitLayer::new(NonZeroU32::MIN))
        .timeouts(Timeouts::new(hour, hour).unwrap())
        .layer(upstream(Step::silent()));
    let call = |host: &str| gateway.clone().oneshot(get(&format!("http://{host}/")));
    let mut calls = Vec::new();
    for host in hosts {
        calls.push(tokio::spawn(call(host)));
    }
    yield_now().await;
    for _ in 0..rejections {
        for host in hosts {
            assert_eq!(call(host).await.unwrap().status(), 503);
        }
        advance(pause).await;
    }
    // Releases the permits, which reports the remaining rejections.
    advance(MINUTE).await;
    for call in calls {
        call.abort();
        call.await.unwrap_err();
    }
    recorder.events().into_iter().filter(|event| event.get("rejected").is_some()).collect()
}

#[tokio::test(start_paused = true)]
async fn in_flight_limit_emits_first_rejection_and_one_summary_per_minute() {
    let events = reject(&["slow"], 1_000, Duration::from_millis(100)).await;
    let messages: Vec<_> = events.iter().map(Line::message).collect();
    let prefix = "limit of 1 calls in flight for \"slow\" reached:";
    assert_eq!(
        messages,
        [
            format!("{prefix} 1 call rejected"),
            format!("{prefix} 600 calls rejected"),
            format!("{prefix} 399 calls rejected"),
        ]
    );
    assert!(events.iter().all(|event| event.level == TracingLevel::WARN));
    assert_eq!(events[1].get("rejected"), Some("600"));
    assert_eq!(events[1].get("key"), Some("\"slow\""));
}

#[tokio::test(start_paused = true)]
async fn in_flight_limit_emits_event_per_key() {
    let events = reject(&["a", "b"], 1, Duration::ZERO).await;
    let keys: Vec<_> = events.iter().map(|event| event.get("key").unwrap()).collect();
    assert_eq!(keys, ["\"a\"", "\"b\""]);
}

#[tokio::test(start_paused = true)]
async fn in_flight_limit_emits_nothing_without_rejection() {
    assert!(reject(&["a"], 0, Duration::ZERO).await.is_empty());
}

/// Rejects 1,000 calls within 100 s, and releases the permit after another minute. Returns the
/// events of `load_shed`.
#[cfg(feature = "tower-0_5")]
async fn shed_calls<L, S>(layer: L) -> Vec<Line>
where
    L: Layer<tower::load_shed::LoadShed<tower::limit::ConcurrencyLimit<FlakyService>>, Service = S>,
    S: Service<Request<Body>> + Clone + Send + 'static,
    S::Response: Send,
    S::Error: Send,
    S::Future: Send,
{
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let stages = ServiceBuilder::new().load_shed().concurrency_limit(1);
    let service = layer.layer(stages.service(upstream(Step::silent())));
    let call = || service.clone().oneshot(get("http://slow/"));
    let in_flight = tokio::spawn(call());
    yield_now().await;
    for _ in 0..1_000 {
        drop(call().await);
        advance(Duration::from_millis(100)).await;
    }
    advance(MINUTE).await;
    in_flight.abort();
    drop(in_flight.await);
    let events = recorder.events();
    let warnings = events.iter().filter(|event| event.level == TracingLevel::WARN).count();
    let events: Vec<_> = events.into_iter().filter(|it| it.get("rejected").is_some()).collect();
    assert_eq!(warnings, events.len());
    events
}

/// A log of the caller's request around that of the calls counts each rejection once.
#[cfg(feature = "tower-0_5")]
#[tokio::test(start_paused = true)]
async fn log_summarizes_calls_that_load_shed_rejects() {
    let hour = Duration::from_secs(3_600);
    let timeouts = || Timeouts::new(hour, hour).unwrap();
    let access_log = ServiceBuilder::new()
        .layer(LoggingLayer::server())
        .layer(ErrorResponseLayer::new("edge"))
        .into_inner();
    for events in [
        shed_calls(StandardLayer::new("billing").timeouts(timeouts())).await,
        shed_calls(StandardLayer::gateway("edge").timeouts(timeouts())).await,
        shed_calls(access_log).await,
        shed_calls(LoggingLayer::client()).await,
    ] {
        let messages: Vec<_> = events.iter().map(Line::message).collect();
        let prefix = "load shed because a service was not ready:";
        assert_eq!(
            messages,
            [
                format!("{prefix} 1 call rejected"),
                format!("{prefix} 600 calls rejected"),
                format!("{prefix} 399 calls rejected"),
            ]
        );
        assert_eq!(events[1].get("rejected"), Some("600"));
    }
}

/// Calls `service` once per 10 ms, for `time`, and returns the number of events of the circuit.
async fn lines_of_circuit(breaker: CircuitBreakerLayer, step: Step, time: Duration) -> Vec<Line> {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let service: seawall::circuit_breaker::CircuitBreaker<FlakyService, _, _> =
        breaker.per_key(by_authority).layer(upstream(step));
    for _ in 0..time.as_millis() / 10 {
        let _ = service.clone().oneshot(get("http://down/")).await;
        advance(Duration::from_millis(10)).await;
    }
    recorder.events()
}

#[tokio::test(start_paused = true)]
async fn circuit_emits_one_line_per_minute_when_upstream_stays_down() {
    for step in [Step::refuse(), Step::status(503).header("retry-after", "30")] {
        let events = lines_of_circuit(CircuitBreakerLayer::new(), step, 10 * MINUTE).await;
        // The opening, and a summary for each further minute.
        assert!((9..=11).contains(&events.len()), "{events:#?}");
        assert!(events.iter().all(|event| event.level == TracingLevel::WARN));
        let rejected = events.iter().map(|it| it.get("rejected").unwrap().parse::<u32>().unwrap());
        assert!(rejected.sum::<u32>() > 50_000);
    }
}

#[tokio::test(start_paused = true)]
async fn circuit_messages_are_sentences() {
    let (recorder, _guard) = Recorder::start(LevelFilter::DEBUG);
    let breaker = opens_at_two().per_key(by_authority);
    let upstream = upstream(Step::refuse());
    let service = breaker.layer(upstream.clone());
    let call = || service.clone().oneshot(get("http://a\u{62}/"));
    for _ in 0..3 {
        call().await.unwrap_err();
    }
    advance(MINUTE).await;
    for _ in 0..5 {
        call().await.unwrap_err();
    }
    upstream.set_script(Step::ok("")).unwrap();
    advance(MINUTE).await;
    for _ in 0..3 {
        call().await.unwrap();
    }
    let circuit = breaker.handle().get("ab").unwrap();
    circuit.force_open();
    call().await.unwrap_err();
    circuit.release();
    circuit.force_closed();
    let events = recorder.events();
    let messages: Vec<_> = events.iter().map(Line::message).collect();
    let refused = "connection refused (detected locally; not processed)";
    assert_eq!(
        messages,
        [
            &format!("circuit for \"ab\" opened: {refused}; 2 of 2 calls failed"),
            "circuit for \"ab\" is half-open: up to 5 calls pass as probes; 1 call was rejected",
            &format!(
                "circuit for \"ab\" opened again: {refused}; 3 of 3 calls failed; 1 call was rejected"
            ),
            &format!("circuit for \"ab\" still open after 60.0s: {refused}; 2 calls rejected"),
            "circuit for \"ab\" is half-open: up to 5 calls pass as probes; 3 calls were rejected",
            "circuit for \"ab\" closed: 3 of 3 probes succeeded; 3 calls were rejected",
            "circuit for \"ab\" was forced open",
            "circuit for \"ab\" closed; 1 call was rejected",
            "circuit for \"ab\" was forced closed",
        ]
    );
    let levels = events.iter().map(|event| event.level.as_str());
    assert_eq!(
        levels.collect::<Vec<_>>().join(" "),
        "WARN DEBUG DEBUG WARN DEBUG WARN WARN WARN WARN"
    );
}
