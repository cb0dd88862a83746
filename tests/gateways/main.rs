//! Tests the client stack behind real gateways in front of failing origins.
//!
//! A plain `cargo test` ignores these tests, since they need the gateways. `--ignored` runs those that are installed and names
//! the others; with `SEAWALL_GATEWAYS=all`, as in `.ci/run`, a missing one fails.
//!
//! To add a gateway, add a file like `nginx.rs` and a line below. To add a scenario, extend `scenario.rs` and the expected
//! responses.

mod apache;
mod caddy;
mod client;
mod envoy;
mod expected;
mod gateway_kind;
mod haproxy;
mod log_events;
mod name_server;
mod nginx;
mod process;
mod runner;
mod scenario;
mod squid;
mod table;
mod verdict;

use std::process::Command;

use self::{
    gateway_kind::GatewayKind,
    process::{Gateway, live_processes},
    runner::check_conclusions_behind,
    scenario::SCENARIOS,
};

macro_rules! gateways {
    ($($test:ident: $kind:path,)*) => {
        $(
            #[tokio::test]
            #[ignore = "needs the gateway installed"]
            async fn $test() {
                check_conclusions_behind(&$kind).await;
            }
        )*

        const KINDS: &[GatewayKind] = &[$($kind),*];
    };
}

gateways! {
    stack_draws_correct_conclusions_behind_nginx: nginx::NGINX,
    stack_draws_correct_conclusions_behind_haproxy: haproxy::HAPROXY,
    stack_draws_correct_conclusions_behind_debian_haproxy: haproxy::DEBIAN_HAPROXY,
    stack_draws_correct_conclusions_behind_apache: apache::APACHE,
    stack_draws_correct_conclusions_behind_caddy: caddy::CADDY,
    stack_draws_correct_conclusions_behind_squid: squid::SQUID,
    stack_draws_correct_conclusions_behind_envoy: envoy::ENVOY,
}

#[test]
fn each_gateway_expects_a_response_per_scenario() {
    for kind in KINDS {
        for (name, _) in SCENARIOS {
            kind.expected_response(name);
        }
        for response in kind.responses {
            let known = SCENARIOS.iter().any(|(name, _)| *name == response.scenario);
            assert!(known, "{}: {}", kind.name, response.scenario);
        }
    }
}

#[tokio::test]
async fn dropping_gateway_ends_its_process_group() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "sleep 600 & exec sleep 600"]);
    let addr = listener.local_addr().unwrap();
    let gateway = Gateway::start(&command, process::create_directory("sleep"), addr).await;
    let (group, directory) = (gateway.group(), gateway.directory());
    let asleep = || live_processes(group).iter().filter(|it| it.contains("(sleep)")).count();
    while asleep() < 2 {
        tokio::task::yield_now().await;
    }
    drop(gateway);
    assert_eq!((live_processes(group), directory.exists()), (vec![], false));
}
