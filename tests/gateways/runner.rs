//! Runs all scenarios behind one gateway.

use futures_util::future::join_all;
use http::Method;
use scripted_origin::Origin;

use crate::{
    client::{CallResult, Stack, send_bare},
    gateway_kind::GatewayKind,
    log_events,
    process::{Gateway, live_processes},
    scenario::{Upstreams, WARM_UP},
    table::Table,
    verdict::Case,
};

/// Runs each scenario and prints the classifications.
///
/// # Panics
///
/// Panics if a classification is incorrect.
pub(crate) async fn check_classifications_behind(kind: &GatewayKind) {
    log_events::install();
    let mut upstreams = Upstreams::start().await;
    let Some(gateway) = kind.start(&upstreams).await else { return };
    let scenarios = upstreams.start_scenarios(gateway.addr).await.iter();
    let outcomes =
        join_all(scenarios.map(|(name, origin)| run_scenario(kind, &gateway, name, origin))).await;

    let mut table = Table::new(kind.notes);
    for ScenarioOutcome { scenario, results, received, .. } in &outcomes {
        table.add_row(kind.name, scenario, results, received);
    }
    // Prints once, because gateways are tested concurrently.
    println!("\n{table}");
    let deviations: Vec<_> = outcomes.iter().flat_map(|outcome| &outcome.deviations).collect();
    assert!(deviations.is_empty(), "{}: {deviations:#?}\n{}", kind.name, gateway.output());

    let (group, directory) = (gateway.group(), gateway.directory());
    drop(gateway);
    assert!(
        live_processes(group).is_empty() && !directory.exists(),
        "{} left processes or files behind",
        kind.name
    );
}

/// The calls of one scenario.
struct ScenarioOutcome<'a> {
    scenario: &'a str,
    results: Vec<CallResult>,
    /// The numbers of requests that the origin received from the stack.
    received: Vec<u64>,
    deviations: Vec<String>,
}

/// Sends a GET and a POST without the stack and through it.
///
/// Then sends a POST through the stack on a reused connection.
async fn run_scenario<'a>(
    kind: &GatewayKind,
    gateway: &Gateway,
    scenario: &'a str,
    origin: &Origin,
) -> ScenarioOutcome<'a> {
    let stack = Stack::new();
    let mut outcome =
        ScenarioOutcome { scenario, results: vec![], received: vec![], deviations: vec![] };
    let mut bare = (None, 0);
    for (method, is_reused) in [(Method::GET, false), (Method::POST, false), (Method::POST, true)] {
        if is_reused {
            stack.send(&Method::GET, gateway.addr, WARM_UP).await;
        } else {
            let initial_requests = origin.requests();
            let status = send_bare(&method, gateway.addr, scenario).await;
            bare = (status, origin.requests() - initial_requests);
        }
        let events = || log_events::events(&method, gateway.addr, scenario);
        let (initial_requests, earlier_events) = (origin.requests(), events().len());
        let result = stack.send(&method, gateway.addr, scenario).await;
        let received = origin.requests() - initial_requests;
        let events = &events()[earlier_events..];
        let expected = kind.expected_response(scenario);
        let product = kind.product;
        let case =
            Case { product, expected, method: &method, bare, result: &result, received, events };
        outcome.deviations.extend(case.deviations());
        outcome.results.push(result);
        outcome.received.push(received);
    }
    if !stack.is_circuit_closed() {
        outcome
            .deviations
            .push(format!("{scenario}: expected a closed circuit, found an open one"));
    }
    outcome
}
