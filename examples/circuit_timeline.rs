//! What a circuit breaker does over half a minute in which the upstream is down for twelve seconds: `cargo run --example
//! circuit_timeline`. The clock is tokio's paused one, so it takes no time.

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

const DOWN: std::ops::Range<f32> = 5.0..17.0;

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
            if DOWN.contains(&started.elapsed().as_secs_f32()) {
                *response.status_mut() = StatusCode::BAD_GATEWAY;
            }
            std::future::ready(Ok::<_, Infallible>(response))
        })
    };
    let (mut states, mut reached_while_down) = (Vec::new(), 0);
    println!("seconds  upstream  circuit      200  502  refused  reached");
    for second in 0..30 {
        let (mut well, mut failed, mut refused) = (0, 0, 0);
        let before = reached.load(Ordering::Relaxed);
        let state = circuit.state();
        let down = DOWN.contains(&started.elapsed().as_secs_f32());
        // Fifty calls a second.
        for _ in 0..50 {
            match client.clone().oneshot(Request::new(Empty::new())).await {
                Ok(response) if response.status().is_success() => well += 1,
                Ok(_) => failed += 1,
                Err(_) => refused += 1,
            }
            sleep(Duration::from_millis(20)).await;
        }
        let reached = reached.load(Ordering::Relaxed) - before;
        let (upstream, circuit) = (if down { "down" } else { "up" }, state.as_str());
        println!(
            "{second:>7}  {upstream:<8}  {circuit:<11}  {well:>3}  {failed:>3}  {refused:>7}  {reached:>7}"
        );
        states.push(state);
        reached_while_down += if down { reached } else { 0 };
    }
    // A second may begin while it tries.
    states.retain(|state| *state != State::HalfOpen);
    states.dedup();
    assert_eq!(states, [State::Closed, State::Open, State::Closed]);
    // Of six hundred.
    assert!(reached_while_down < 100, "{reached_while_down}");
}
