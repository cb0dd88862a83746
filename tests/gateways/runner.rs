//! All scenarios behind one gateway.

use futures_util::future::join_all;
use http::Method;
use scripted_origin::Origin;

use crate::{
    client::{Met, Stack, bare},
    gateway::{Gateway, alive},
    judge::Case,
    kind::Kind,
    lines,
    scenario::{Backstage, WARM_UP},
    table::Table,
};

/// Meets every scenario, prints what was concluded, and then fails if any of it was wrong.
pub(crate) async fn behind(kind: &Kind) {
    lines::listen();
    let mut backstage = Backstage::start().await;
    let Some(gateway) = kind.start(&backstage).await else { return };
    let scenarios = backstage.begin(gateway.addr).await.iter();
    let all = join_all(scenarios.map(|(name, origin)| meet(kind, &gateway, name, origin))).await;

    let mut table = Table::new(kind.remarks);
    for Encounter { scenario, met, seen, .. } in &all {
        table.row(kind.name, scenario, met, seen);
    }
    // At once, since gateways are met at the same time.
    println!("\n{table}");
    let wrong: Vec<_> = all.iter().flat_map(|encounter| &encounter.wrong).collect();
    assert!(wrong.is_empty(), "{}: {wrong:#?}\n{}", kind.name, gateway.output());

    let (group, files) = (gateway.group(), gateway.files());
    drop(gateway);
    assert!(alive(group).is_empty() && !files.exists(), "{} left something behind", kind.name);
}

/// What became of the calls of one scenario.
struct Encounter<'a> {
    scenario: &'a str,
    met: Vec<Met>,
    /// Requests that the origin saw of the stack's.
    seen: Vec<u64>,
    wrong: Vec<String>,
}

/// A GET and a POST without the stack and through it, and a POST through it on a connection that was used before.
async fn meet<'a>(
    kind: &Kind,
    gateway: &Gateway,
    scenario: &'a str,
    origin: &Origin,
) -> Encounter<'a> {
    let stack = Stack::new();
    let mut encounter = Encounter { scenario, met: vec![], seen: vec![], wrong: vec![] };
    let mut without = (None, 0);
    for (method, warm) in [(Method::GET, false), (Method::POST, false), (Method::POST, true)] {
        if warm {
            stack.send(&Method::GET, gateway.addr, WARM_UP).await;
        } else {
            let start = origin.requests();
            let status = bare(&method, gateway.addr, scenario).await;
            without = (status, origin.requests() - start);
        }
        let (start, lines) = (origin.requests(), lines::of(&method, gateway.addr, scenario).len());
        let met = stack.send(&method, gateway.addr, scenario).await;
        let seen = origin.requests() - start;
        let lines = &lines::of(&method, gateway.addr, scenario)[lines..];
        let answer = kind.answer(scenario);
        let product = kind.product;
        let case = Case { product, answer, method: &method, without, met: &met, seen, lines };
        encounter.wrong.extend(case.wrong());
        encounter.met.push(met);
        encounter.seen.push(seen);
    }
    if !stack.is_closed() {
        encounter.wrong.push(format!("{scenario}: the circuit has opened"));
    }
    encounter
}
