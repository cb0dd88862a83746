//! Explanations of a failure in words.

use seawall::{
    Cause, Failure, Processed, Product, Reporter,
    bad_gateway::{Evidence, ProxyStatus},
};

use crate::{
    escape,
    report::{Report, Stage},
};

/// Describes the hop that failed.
pub(crate) fn hop(report: &Report, failure: &Failure) -> String {
    let peer = report.peer.as_deref().unwrap_or("the server");
    match (failure.reporter(), report.last_stage()) {
        (Reporter::Gateway(Product::Other), _) => {
            let name = report.evidence().and_then(Evidence::proxy_status).map(ProxyStatus::proxy);
            let name =
                name.map_or_else(|| "one of them".into(), |name| escape::single_line(name, 60));
            format!("a gateway: {name} responded, not the upstream behind it")
        }
        (Reporter::Gateway(product), _) => {
            format!("a gateway: {product} responded, not the upstream behind it")
        }
        (Reporter::Origin, _) => "the origin: it was reached, and failed".into(),
        (Reporter::Local, Some(Stage::Dns)) => {
            "the client: the name lookup failed, and no server was reached".into()
        }
        (Reporter::Local, Some(Stage::Tcp)) => {
            "between the client and the first hop: no connection".into()
        }
        (Reporter::Local, Some(Stage::Tls)) => {
            format!("the first hop, {peer}: it accepts connections, but TLS fails")
        }
        (Reporter::Local, _) => {
            format!("the first hop, {peer}: it accepts connections, but sends no valid response")
        }
        _ => format!("not certain: {peer} responded, for itself or for a hop behind it"),
    }
}

/// Names the location of the failure: `client`, `first_hop`, `gateway`, `origin` or `unknown`.
pub(crate) fn location(report: &Report, failure: &Failure) -> &'static str {
    match (failure.reporter(), report.last_stage()) {
        (Reporter::Gateway(_), _) => "gateway",
        (Reporter::Origin, _) => "origin",
        (Reporter::Local, Some(Stage::Dns)) => "client",
        (Reporter::Local, _) => "first_hop",
        _ => "unknown",
    }
}

/// Describes whether the request was processed, and whether it is safe to send again.
pub(crate) const fn processed(failure: &Failure) -> &'static str {
    match failure.processed() {
        Processed::No => "was not processed: safe to send again",
        Processed::Unlikely => {
            "was probably not processed, but this is not certain: a retry may repeat a payment"
        }
        Processed::Yes => "was processed: a retry repeats its effect",
        _ => "may have been processed: retry it only if it is idempotent",
    }
}

/// Writes a cause with spaces instead of underscores.
pub(crate) fn cause(cause: Cause) -> String {
    cause.as_str().replace('_', " ")
}
