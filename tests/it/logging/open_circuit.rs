//! The log of an outage behind an open circuit.

use std::{io, num::NonZeroU32};

use seawall::{circuit_breaker::CircuitBreakerLayer, standard::StandardLayer};

use super::*;

#[tokio::test(start_paused = true)]
async fn open_circuit_bounds_lines_per_second_in_outage() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let breaker = CircuitBreakerLayer::new();
    let service = tower::ServiceBuilder::new()
        .layer(LoggingLayer::server())
        .layer(seawall::error_response::ErrorResponseLayer::new("edge"))
        .layer(LoggingLayer::client())
        .layer(breaker)
        .service(service_fn(async |_: Request<Body>| {
            Err::<Response<Body>, BoxError>(
                io::Error::from(io::ErrorKind::ConnectionRefused).into(),
            )
        }));
    let mut written = Vec::new();
    for second in 0..30 {
        let before = recorder.events().len();
        for _ in 0..1_000 {
            let response = service.clone().oneshot(get("http://h/")).await.unwrap();
            assert!(response.status().is_server_error());
            drop(response.into_body().collect().await);
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        written.push((second, recorder.events().len() - before));
    }
    // Until it opens each call fails on its own, on both sides.
    let (_, first) = written.remove(0);
    assert!(first <= 2 * 20 + 5, "{first}");
    // A probe that fails has a line on each side, and its circuit two.
    for (second, lines) in &written {
        assert!(*lines <= 10, "{lines} in second {second}");
    }
    let all: usize = written.iter().map(|(_, lines)| lines).sum();
    assert!(all <= 3 * written.len(), "{all} in {} s", written.len());
    let events = recorder.events();
    let changes = events.iter().filter(|line| line.get("old") == Some("open"));
    let refused: u32 = changes.map(|it| it.get("refused").unwrap().parse::<u32>().unwrap()).sum();
    assert!(refused > 15_000, "{refused}");
}

#[tokio::test(start_paused = true)]
async fn gateway_logs_rejection_at_info_when_enabled() {
    let gateway = || {
        let breaker = CircuitBreakerLayer::new().consecutive_failures(NonZeroU32::MIN);
        StandardLayer::gateway("edge").retry(None).circuit_breaker(breaker)
    };
    let asked_for = LoggingLayer::server().rejected_level(Level::Info);
    for (layer, lines) in [(gateway(), 0), (gateway().access_log(asked_for), 3)] {
        let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
        let service = layer.layer(service_fn(async |_: Request<_>| {
            Err::<Response<Body>, BoxError>(
                io::Error::from(io::ErrorKind::ConnectionRefused).into(),
            )
        }));
        drop(service.clone().oneshot(get("http://h/")).await);
        let before = recorder.events();
        assert!(before.iter().any(|line| line.message() == "circuit open"));
        for _ in 0..3 {
            let response = service.clone().oneshot(get("http://h/")).await.unwrap();
            assert_eq!(response.status(), 503);
        }
        let after = recorder.lines().split_off(before.len() - 1);
        assert_eq!(after.len(), lines);
        assert!(after.iter().all(|line| line.get("seawall.cause") == Some("circuit_open")));
    }
}
