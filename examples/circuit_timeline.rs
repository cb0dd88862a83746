//! Shows a circuit breaker for 30 s, in which the upstream is down for 12 s. tokio's paused clock
//! makes it finish at once.
//!
//! `cargo run --all-features --example circuit_timeline`

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use seawall::circuit_breaker::{CircuitBreakerLayer, State};
use tokio::time::{Instant, sleep};
use tower::{ServiceBuilder, ServiceExt};

const OUTAGE_SECS: std::ops::Range<f32> = 5.0..17.0;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let started = Instant::now();
    let reached = Arc::new(AtomicU32::new(0));
    let breaker = CircuitBreakerLayer::new();
    let circuit = breaker.handle();
    let client = {
        let reached = Arc::clone(&reached);
        ServiceBuilder::new().layer(breaker).service_fn(move |_: Request<Empty<Bytes>>| {
            reached.fetch_add(1, Ordering::Relaxed);
            let mut response = Response::new(Empty::<Bytes>::new());
            if OUTAGE_SECS.contains(&started.elapsed().as_secs_f32()) {
                *response.status_mut() = StatusCode::BAD_GATEWAY;
            }
            std::future::ready(Ok::<_, Infallible>(response))
        })
    };
    let (mut states, mut reached_while_down) = (Vec::new(), 0);
    println!("seconds  upstream  circuit      200  502  rejected  reached");
    for second in 0..30 {
        let (mut succeeded, mut failed, mut rejected) = (0, 0, 0);
        let reached_before = reached.load(Ordering::Relaxed);
        let state = circuit.state();
        let down = OUTAGE_SECS.contains(&started.elapsed().as_secs_f32());
        // 50 calls per second.
        for _ in 0..50 {
            match client.clone().oneshot(Request::new(Empty::new())).await {
                Ok(response) if response.status().is_success() => succeeded += 1,
                Ok(_) => failed += 1,
                Err(_) => rejected += 1,
            }
            sleep(Duration::from_millis(20)).await;
        }
        let reached = reached.load(Ordering::Relaxed) - reached_before;
        let (upstream, circuit) = (if down { "down" } else { "up" }, state.as_str());
        println!(
            "{second:>7}  {upstream:<8}  {circuit:<11}  {succeeded:>3}  {failed:>3}  {rejected:>8}  {reached:>7}"
        );
        states.push(state);
        reached_while_down += if down { reached } else { 0 };
    }
    // A second may start during a probe.
    states.retain(|state| *state != State::HalfOpen);
    states.dedup();
    assert_eq!(states, [State::Closed, State::Open, State::Closed]);
    // Out of 600 calls.
    assert!(reached_while_down < 100, "{reached_while_down}");
}
