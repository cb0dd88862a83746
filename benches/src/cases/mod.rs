//! What is measured: services in [`services`], [`stacks`] and [`time`], the classifier here.

mod row;
mod services;
pub(crate) mod stacks;
mod time;

pub(crate) use self::services::{LIMIT, PLENTY, Sent, resilience_breaker};

use http::StatusCode;

use crate::{Answer, Case, Runner, Subscriber, classifying, failing, request::Kind};

/// In the order of the results.
#[must_use]
pub fn all() -> Vec<Case> {
    let services = services::all().into_iter().chain(services::limits()).chain(services::told());
    let services = services.chain(stacks::all()).chain(services::standard()).chain(time::all());
    let mut cases: Vec<Case> = services.flat_map(|row| row.cases()).collect();
    cases.extend([
        verdict(NOTHING, |_| classifying::nothing()),
        verdict("classifier: a 200", |_| classifying::http(StatusCode::OK, None)),
        verdict("classifier: a 502", |_| classifying::http(StatusCode::BAD_GATEWAY, None)),
        verdict("classifier: a 502 with Retry-After", |_| {
            classifying::http(StatusCode::BAD_GATEWAY, Some("2"))
        }),
        Case { base: BARE_502, ..verdict(BARE_502, |_| failing::bare()) },
        Case {
            base: BARE_502,
            ..verdict("seawall BadGatewayClassifier: a 502, its head alone", |_| {
                failing::classified()
            })
        },
    ]);
    cases
}

/// The case of this [`key`](Case::key).
#[must_use]
pub fn find(key: &str) -> Option<Case> {
    all().into_iter().find(|case| case.key() == key)
}

const NOTHING: &str = "classifier: nothing in its place";
const BARE_502: &str = "bare: a 502, its head alone";

fn verdict(name: &'static str, make: fn(Kind) -> Box<dyn Runner>) -> Case {
    Case {
        name,
        kind: Kind::None,
        answer: Answer::None,
        subscriber: Subscriber::None,
        base: NOTHING,
        make,
    }
}
