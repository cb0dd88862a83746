//! The client stack against real gateways in front of origins that fail on purpose.
//!
//! Ignored in a plain `cargo test`, since gateways must be installed. With `--ignored` those that are run, and the
//! others are named; with `SEAWALL_GATEWAYS=all`, as in `.ci/run`, one that is missing fails.
//!
//! To add a gateway: a file beside `nginx.rs`, and a line below. To add a scenario: `scenario.rs`, and the rows that the
//! tests then miss.

mod answer;
mod apache;
mod caddy;
mod client;
mod envoy;
mod gateway;
mod haproxy;
mod judge;
mod kind;
mod lines;
mod nginx;
mod resolver;
mod run;
mod scenario;
mod squid;
mod table;

use std::process::Command;

use self::{
    gateway::{Gateway, alive},
    kind::Kind,
    run::behind,
    scenario::SCENARIOS,
};

macro_rules! gateways {
    ($($test:ident: $kind:path,)*) => {
        $(
            #[tokio::test]
            #[ignore = "needs the gateway installed"]
            async fn $test() {
                behind(&$kind).await;
            }
        )*

        const KINDS: &[Kind] = &[$($kind),*];
    };
}

gateways! {
    the_stack_draws_true_conclusions_behind_nginx: nginx::NGINX,
    the_stack_draws_true_conclusions_behind_haproxy: haproxy::HAPROXY,
    the_stack_draws_true_conclusions_behind_haproxy_of_debian: haproxy::HAPROXY_OF_DEBIAN,
    the_stack_draws_true_conclusions_behind_apache: apache::APACHE,
    the_stack_draws_true_conclusions_behind_caddy: caddy::CADDY,
    the_stack_draws_true_conclusions_behind_squid: squid::SQUID,
    the_stack_draws_true_conclusions_behind_envoy: envoy::ENVOY,
}

#[test]
fn every_gateway_has_a_row_for_every_scenario_and_no_other() {
    for kind in KINDS {
        for (name, _) in SCENARIOS {
            kind.answer(name);
        }
        for answer in kind.answers {
            let known = SCENARIOS.iter().any(|(name, _)| *name == answer.scenario);
            assert!(known, "{}: {}", kind.name, answer.scenario);
        }
    }
}

#[tokio::test]
async fn a_gateway_ends_with_all_that_it_has_started() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "sleep 600 & exec sleep 600"]);
    let addr = listener.local_addr().unwrap();
    let gateway = Gateway::start(&command, gateway::directory("sleep"), addr).await;
    let (group, files) = (gateway.group(), gateway.files());
    let asleep = || alive(group).iter().filter(|it| it.contains("(sleep)")).count();
    while asleep() < 2 {
        tokio::task::yield_now().await;
    }
    drop(gateway);
    assert_eq!((alive(group), files.exists()), (vec![], false));
}
