//! Varnish.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{Cause::BadGateway, Processed::Maybe, Product::Varnish},
    fingerprint::matcher::Matcher::BodyContains,
};

const VARNISH: Reference = Reference::Recorded("Varnish 7.1.1");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(Varnish), &[503], &[BodyContains("<h1>Error 503 Backend fetch failed</h1>"), BodyContains("<p>Varnish cache server</p>")], BadGateway, Maybe, "Varnish received no valid response; it returns this page for all failures, including timeouts, and its log has the reason", VARNISH),
];
