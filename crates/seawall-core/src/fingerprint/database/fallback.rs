//! The fallback for a response that matches no product, once its whole body was read.

use super::{Fingerprint, Reference};
use crate::{
    failure::{Cause::OriginError, Processed::Maybe, Reporter},
    fingerprint::matcher::Matcher::{BodyContainsNone, BodyPrefix, HeaderPrefix},
};

/// The terms by which gateways describe their failures. An application describes its own domain.
const GATEWAY_TERMS: &[&str] = &[
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

pub(super) static BY_BODY: &[Fingerprint] = &[Fingerprint {
    reporter: Reporter::Unknown,
    statuses: &[500, 502, 504],
    matchers: &[
        HeaderPrefix("content-type", "application/json"),
        BodyPrefix("{"),
        BodyContainsNone(GATEWAY_TERMS),
    ],
    cause: Some(OriginError),
    processed: Maybe,
    summary: "an application's own answer, it seems: JSON that speaks of no gateway",
    reference: Reference::Documented("https://www.rfc-editor.org/rfc/rfc9110#section-15.6"),
}];
