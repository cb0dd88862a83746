//! A conclusion in words.

use seawall::{Cause, Failure, Processed, Reporter};

use crate::report::{Report, Stage};

/// At which hop it failed.
pub(crate) fn hop(report: &Report, failure: &Failure) -> String {
    let peer = report.peer.as_deref().unwrap_or("the server");
    match (failure.reporter(), report.last()) {
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
