//! Log volume during an outage with an open circuit.

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
    let mut lines_per_second = Vec::new();
    for second in 0..65 {
        let events_before = recorder.events().len();
        for _ in 0..1_000 {
            let response = service.clone().oneshot(get("http://h/")).await.unwrap();
            assert!(response.status().is_server_error());
            drop(response.into_body().collect().await);
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        lines_per_second.push((second, recorder.events().len() - events_before));
    }
    // Until the circuit opens, each failed call emits a line.
    let (_, first) = lines_per_second.remove(0);
    assert!(first <= 20 + 5, "{first}");
    // Only failed probes emit lines.
    for (second, lines) in &lines_per_second {
        assert!(*lines <= 10, "{lines} in second {second}");
    }
    let total: usize = lines_per_second.iter().map(|(_, lines)| lines).sum();
    assert!(total <= 3 * lines_per_second.len(), "{total} in {} s", lines_per_second.len());
    let events = recorder.events();
    let circuit = events.iter().filter(|line| line.message().starts_with("circuit "));
    let rejected: Vec<u32> =
        circuit.map(|it| it.get("rejected").unwrap().parse().unwrap()).collect();
    // The opening and one summary.
    assert_eq!(rejected.len(), 2);
    assert!(rejected[1] > 50_000, "{rejected:?}");
}

#[tokio::test(start_paused = true)]
async fn gateway_logs_rejection_at_info_when_enabled() {
    let gateway = || {
        let breaker = CircuitBreakerLayer::new().consecutive_failures(NonZeroU32::MIN);
        StandardLayer::gateway("edge").without_retry().circuit_breaker(breaker)
    };
    let info_rejections = LoggingLayer::server().rejected_level(Level::Info);
    for (layer, lines) in [(gateway(), 0), (gateway().access_log(info_rejections), 3)] {
        let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
        let service = layer.layer(service_fn(async |_: Request<_>| {
            Err::<Response<Body>, BoxError>(
                io::Error::from(io::ErrorKind::ConnectionRefused).into(),
            )
        }));
        drop(service.clone().oneshot(get("http://h/")).await);
        let opening = recorder.events();
        assert!(opening.iter().any(|line| line.message().starts_with("circuit for \"h\" opened")));
        for _ in 0..3 {
            let response = service.clone().oneshot(get("http://h/")).await.unwrap();
            assert_eq!(response.status(), 503);
        }
        let rejections = recorder.lines().split_off(opening.len() - 1);
        assert_eq!(rejections.len(), lines);
        assert!(rejections.iter().all(|line| line.get("seawall.cause") == Some("circuit_open")));
    }
}
