//! A conclusion in words.

use seawall::{
    Cause, Failure, Processed, Product, Reporter,
    bad_gateway::{Evidence, ProxyStatus},
};

use crate::{
    escape,
    report::{Report, Stage},
};

/// At which hop it failed.
pub(crate) fn hop(report: &Report, failure: &Failure) -> String {
    let peer = report.peer.as_deref().unwrap_or("the server");
    match (failure.reporter(), report.last()) {
        (Reporter::Gateway(Product::Other), _) => {
            let name = evidence(report).and_then(|it| it.proxy_status()).map(ProxyStatus::proxy);
            let name = name.map_or_else(|| "one of them".into(), |name| escape::line(name, 60));
            format!("a gateway: {name} answered, and not what is behind it")
        }
        (Reporter::Gateway(product), _) => {
            format!("a gateway: {product} answered, and not what is behind it")
        }
        (Reporter::Origin, _) => "the origin: it was reached, and failed".into(),
        (Reporter::Local, Some(Stage::Dns)) => {
            "here, at the name lookup: no server was reached".into()
        }
        (Reporter::Local, Some(Stage::Tcp)) => {
            "between here and the first hop: no connection".into()
        }
        (Reporter::Local, Some(Stage::Tls)) => {
            format!("the first hop, {peer}: it takes connections, and TLS fails")
        }
        (Reporter::Local, _) => {
            format!("the first hop, {peer}: it takes connections, and gives no valid response")
        }
        _ => format!("not certain: {peer} answered, for itself or for a hop behind it"),
    }
}

/// The same as a token: `here`, `first_hop`, `gateway`, `origin` or `unknown`.
pub(crate) fn at(report: &Report, failure: &Failure) -> &'static str {
    match (failure.reporter(), report.last()) {
        (Reporter::Gateway(_), _) => "gateway",
        (Reporter::Origin, _) => "origin",
        (Reporter::Local, Some(Stage::Dns)) => "here",
        (Reporter::Local, _) => "first_hop",
        _ => "unknown",
    }
}

/// What the conclusion rests on.
pub(crate) fn evidence(report: &Report) -> Option<&Evidence> {
    report.answer.as_ref()?.evidence.as_ref()
}

/// Whether the request may have been processed, and what follows.
pub(crate) const fn processed(failure: &Failure) -> &'static str {
    match failure.processed() {
        Processed::No => "was not processed: safe to send again",
        Processed::Unlikely => {
            "was probably not processed, which is no proof: a payment may be repeated"
        }
        Processed::Yes => "was processed: sending it again does it twice",
        _ => "may have been processed: send again only what may be done twice",
    }
}

/// What went wrong, as a word of its own.
pub(crate) fn cause(cause: Cause) -> String {
    cause.as_str().replace('_', " ")
}
