//! The fallback for a response that matches no product, when its body was read completely.

use super::{Fingerprint, Reference};
use crate::{
    failure::{Cause::OriginError, Processed::Maybe, Reporter},
    fingerprint::matcher::Matcher::{BodyContainsNone, BodyPrefix, HeaderPrefix},
};

/// The terms that gateways use in error messages. An application uses the terms of its domain.
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
    summary: "probably the response of an application: JSON that mentions no gateway",
    reference: Reference::Documented("https://www.rfc-editor.org/rfc/rfc9110#section-15.6"),
}];
