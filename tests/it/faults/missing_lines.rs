//! Failures that emit no log line at INFO.

use std::{num::NonZeroU32, time::Duration};

use seawall::{
    circuit_breaker::CircuitBreakerLayer,
    in_flight::InFlightLimitLayer,
    standard::{StandardLayer, Timeouts},
    test_util::Step,
};
use tokio::time::sleep;
use tower::{Layer, ServiceExt};
use tracing::{Level, level_filters::LevelFilter};

use super::request;
use crate::{log_capture::Recorder, support::upstream};

/// Two attempts are reset and open the circuit, which rejects the third one. The call is logged at
/// DEBUG as rejected, without the reset.
#[tokio::test(start_paused = true)]
#[ignore = "22: a call that opens the circuit and is then rejected by it emits no line at INFO"]
async fn log_warns_when_attempts_open_circuit() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let upstream = upstream(Step::reset());
    let breaker = CircuitBreakerLayer::new().consecutive_failures(NonZeroU32::new(2).unwrap());
    let gateway = StandardLayer::gateway("edge").circuit_breaker(breaker).layer(upstream.clone());
    let response = gateway.oneshot(request("GET", "http://billing/")).await.unwrap();
    assert_eq!((response.status().as_u16(), upstream.requests()), (503, 2));
    let lines = recorder.lines();
    let warnings = lines.iter().filter(|line| line.level == Level::WARN);
    let causes: Vec<_> = warnings.map(|line| line.get("seawall.cause").unwrap()).collect();
    assert!(causes.contains(&"connection_terminated"), "{causes:?}");
}

#[tokio::test(start_paused = true)]
#[ignore = "22: calls that the in-flight limit rejects emit no line at INFO"]
async fn log_summarizes_rejections_when_in_flight_limit_is_reached() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let hour = Duration::from_secs(3_600);
    let gateway = StandardLayer::gateway("edge")
        .in_flight(InFlightLimitLayer::new(NonZeroU32::MIN))
        .timeouts(Timeouts::new(hour, hour).unwrap())
        .layer(upstream(Step::silent()));
    let call = || gateway.clone().oneshot(request("GET", "http://slow/"));
    let first = tokio::spawn(call());
    tokio::task::yield_now().await;
    // Longer than any plausible interval of summaries.
    for _ in 0..3 {
        assert_eq!(call().await.unwrap().status(), 503);
        sleep(Duration::from_secs(60)).await;
    }
    assert!(!first.is_finished());
    assert!(
        !recorder.events().is_empty(),
        "expected an event for three rejected calls, found none"
    );
    first.abort();
}
