//! express-http-proxy, a Node.js library.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{Cause::BadGateway, Processed::Maybe, Product::ExpressHttpProxy},
    fingerprint::matcher::Matcher::HeaderPrefix,
};

const EXPRESS_HTTP_PROXY: Reference = Reference::Recorded("express-http-proxy 2.1.2");

#[rustfmt::skip]
pub(super) static BY_HEAD: &[Fingerprint] = &[
    // The cause is not always a timeout: the response is the same if the connection was closed or
    // reset.
    fingerprint(gateway(ExpressHttpProxy), &[504], &[HeaderPrefix("x-timeout-reason", "express-http-proxy")], BadGateway, Maybe, "express-http-proxy received no response (connection closed or reset, or timeout); it returns 504 for all of them", EXPRESS_HTTP_PROXY),
];
