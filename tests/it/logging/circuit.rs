//! An outage behind an open circuit.

use std::io;

use seawall::CircuitBreakerLayer;

use super::*;

#[tokio::test(start_paused = true)]
async fn an_outage_behind_an_open_circuit_writes_a_handful_of_lines_a_second() {
    let (recorder, _guard) = Recorder::start(LevelFilter::INFO);
    let breaker = CircuitBreakerLayer::new();
    let service = tower::ServiceBuilder::new()
        .layer(LoggingLayer::server())
        .layer(seawall::ErrorResponseLayer::new("edge"))
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
