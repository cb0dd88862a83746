//! All cases: layers in [`services`], stacks in [`stacks`], timeouts in [`timeouts`], and
//! classifiers.

mod group;
mod services;
pub(crate) mod stacks;
mod timeouts;

pub(crate) use self::services::{HttpRequest, TIMEOUT, UNLIMITED, resilience_breaker};

use http::StatusCode;

use crate::{Case, Readiness, Runner, Subscriber, classify, classify_502, request::RequestKind};

/// Returns all cases in the order of the results.
#[must_use]
pub fn all() -> Vec<Case> {
    let services =
        services::all().into_iter().chain(services::limits()).chain(services::observability());
    let services = services.chain(stacks::all()).chain(services::standard()).chain(timeouts::all());
    let mut cases: Vec<Case> = services.flat_map(|group| group.cases()).collect();
    cases.extend([
        classifier(NO_CLASSIFIER, |_| classify::none()),
        classifier("classifier: a 200", |_| classify::http(StatusCode::OK, None)),
        classifier("classifier: a 502", |_| classify::http(StatusCode::BAD_GATEWAY, None)),
        classifier("classifier: a 502 with Retry-After", |_| {
            classify::http(StatusCode::BAD_GATEWAY, Some("2"))
        }),
        Case { base: BARE_502, ..classifier(BARE_502, |_| classify_502::bare()) },
        Case {
            base: BARE_502,
            ..classifier("seawall BadGatewayClassifier: a 502 without body", |_| {
                classify_502::classified()
            })
        },
    ]);
    cases
}

/// Returns the case with this [`key`](Case::key).
#[must_use]
pub fn find(key: &str) -> Option<Case> {
    all().into_iter().find(|case| case.key() == key)
}

const NO_CLASSIFIER: &str = "classifier: none";
const BARE_502: &str = "bare: a 502 without body";

fn classifier(name: &'static str, make: fn(RequestKind) -> Box<dyn Runner>) -> Case {
    Case {
        name,
        kind: RequestKind::None,
        readiness: Readiness::None,
        subscriber: Subscriber::None,
        base: NO_CLASSIFIER,
        make,
    }
}
