//! express-http-proxy, a Node.js library.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{Cause::BadGateway, Processed::Maybe, Product::ExpressHttpProxy},
    fingerprint::matcher::Matcher::HeaderPrefix,
};

const EXPRESS_HTTP_PROXY: Reference = Reference::Recorded("express-http-proxy 2.1.2");

#[rustfmt::skip]
pub(super) static BY_HEAD: &[Fingerprint] = &[
    // Not a timeout: express-http-proxy returns it for a connection that was closed or reset too.
    fingerprint(gateway(ExpressHttpProxy), &[504], &[HeaderPrefix("x-timeout-reason", "express-http-proxy")], BadGateway, Maybe, "express-http-proxy got no response: closed, reset, or too late, to all of which it answers 504", EXPRESS_HTTP_PROXY),
];
