//! What is said of an answer that no product is known by, once the whole of it was read.

use super::{Fingerprint, Source};
use crate::{
    bad_gateway::matcher::Matcher::{Begins, BodyBegins, BodyLacks},
    failure::{Cause::OriginError, Processed::Maybe, Reporter},
};

/// A gateway's own answer speaks of what it does; an application's of its own business.
const A_GATEWAYS_WORDS: &[&str] = &[
    "gateway",
    "upstream",
    "proxy",
    "proxied",
    "backend",
    "server",
    "unavailable",
    "timeout",
    "target",
    "endpoint",
    "connect",
    "econn",
    "enotfound",
    "socket",
    "network",
    "resol",
    "eof",
    "fault",
];

pub(super) static ROWS: &[Fingerprint] = &[Fingerprint {
    reporter: Reporter::Unknown,
    statuses: &[500, 502, 504],
    matchers: &[
        Begins("content-type", "application/json"),
        BodyBegins("{"),
        BodyLacks(A_GATEWAYS_WORDS),
    ],
    cause: Some(OriginError),
    processed: Maybe,
    note: "an application's own answer, it seems: JSON that speaks of no gateway",
    source: Source::Documented("https://www.rfc-editor.org/rfc/rfc9110#section-15.6"),
}];
