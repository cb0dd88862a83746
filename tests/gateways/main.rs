//! The client stack against real gateways in front of an origin that fails on purpose.
//!
//! Ignored in a plain `cargo test`, since the gateways must be installed; `.ci/run` installs and runs them.
//! To add a gateway: a file beside `nginx.rs` that makes a [`Gateway`], and a test below.

mod gateway;
mod nginx;
mod scenario;

use gateway::Gateway;
use scenario::SCENARIOS;

#[tokio::test]
#[ignore = "needs nginx"]
async fn the_stack_draws_true_conclusions_behind_nginx() {
    behind("nginx", nginx::start).await;
}

/// Runs every scenario, prints what was concluded, and then fails if any of it was wrong.
async fn behind(name: &str, start: impl AsyncFn(std::net::SocketAddr) -> Gateway) {
    let mut wrong = Vec::new();
    println!(
        "{name}\n{:<16} {:>6}  {:<28} {:>4} {:>4}",
        "origin", "status", "concluded", "GET", "POST"
    );
    for scenario in SCENARIOS {
        let met = scenario.run(&start).await;
        println!(
            "{:<16} {:>6}  {:<28} {:>4} {:>4}",
            scenario.name,
            met.status.as_u16(),
            met.concluded(),
            met.gets,
            met.posts,
        );
        wrong.extend(scenario.wrong(&met));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
