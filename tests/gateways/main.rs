//! Tests the client stack behind real gateways in front of failing origins.
//!
//! A plain `cargo test` ignores these tests, because they need the gateways. `--ignored` tests the
//! installed gateways and prints the names of the others. With `SEAWALL_GATEWAYS=all`, as in
//! `.ci/run`, the test of a missing gateway fails.
//!
//! To add a gateway, add a file like `nginx.rs` and a line below. To add a scenario, extend
//! `scenario.rs` and the expected responses.

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
    runner::check_classifications_behind,
    scenario::SCENARIOS,
};

macro_rules! gateways {
    ($($test:ident: $kind:path,)*) => {
        $(
            #[tokio::test]
            #[ignore = "requires the installed gateway"]
            async fn $test() {
                check_classifications_behind(&$kind).await;
            }
        )*

        const KINDS: &[GatewayKind] = &[$($kind),*];
    };
}

gateways! {
    stack_classifies_responses_of_nginx: nginx::NGINX,
    stack_classifies_responses_of_haproxy: haproxy::HAPROXY,
    stack_classifies_responses_of_debian_haproxy: haproxy::DEBIAN_HAPROXY,
    stack_classifies_responses_of_apache: apache::APACHE,
    stack_classifies_responses_of_caddy: caddy::CADDY,
    stack_classifies_responses_of_squid: squid::SQUID,
    stack_classifies_responses_of_envoy: envoy::ENVOY,
}

#[test]
fn each_gateway_has_expected_response_per_scenario() {
    for kind in KINDS {
        for (name, _) in SCENARIOS {
            kind.expected_response(name);
        }
        for response in kind.responses {
            let is_known = SCENARIOS.iter().any(|(name, _)| *name == response.scenario);
            assert!(is_known, "{}: unknown scenario {}", kind.name, response.scenario);
        }
    }
}

#[tokio::test]
async fn dropped_gateway_ends_process_group() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "sleep 600 & exec sleep 600"]);
    let addr = listener.local_addr().unwrap();
    let gateway = Gateway::start(&command, process::create_directory("sleep"), addr).await;
    let (group, directory) = (gateway.group(), gateway.directory());
    let sleeping_processes =
        || live_processes(group).iter().filter(|process| process.contains("(sleep)")).count();
    while sleeping_processes() < 2 {
        tokio::task::yield_now().await;
    }
    drop(gateway);
    assert_eq!((live_processes(group), directory.exists()), (vec![], false));
}
