//! tower-http, whose layers may be in this process.

use super::{Fingerprint, Reference, fingerprint};
use crate::{
    failure::{Cause::HttpResponseTimeout, Processed::Maybe, Reporter},
    fingerprint::matcher::Matcher::{BodyEquals, NoOtherHeaders},
};

const TOWER_HTTP: Reference = Reference::Documented(
    "https://docs.rs/tower-http/0.7/tower_http/timeout/struct.TimeoutLayer.html",
);

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    // tower-http 0.6 and 0.7, timeout/service.rs. A response from a socket has at least `Date` or a
    // length.
    fingerprint(Reporter::Unknown, &[408], &[NoOtherHeaders(&[]), BodyEquals("")], HttpResponseTimeout, Maybe, "neither a header nor a body, as tower-http's time limit answers in this process", TOWER_HTTP),
];
