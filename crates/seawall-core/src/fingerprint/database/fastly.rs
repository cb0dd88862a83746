//! Fastly.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{Cause::BadGateway, Processed::Maybe, Product::Fastly},
    fingerprint::matcher::Matcher::{BodyContains, HeaderPrefix},
};

const FASTLY: Reference =
    Reference::Documented("https://www.fastly.com/documentation/guides/vcl/errors/");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(Fastly), &[503], &[HeaderPrefix("x-served-by", "cache-"), BodyContains("Guru Mediation"), BodyContains("Details: cache-")], BadGateway, Maybe, "Fastly received no response from the origin; over HTTP/1.1 the reason phrase has the details", FASTLY),
    fingerprint(gateway(Fastly), &[503], &[HeaderPrefix("x-served-by", "cache-"), BodyContains("Guru Meditation"), BodyContains("Details: cache-")], BadGateway, Maybe, "Fastly received no response from the origin; over HTTP/1.1 the reason phrase has the details", FASTLY),
];
