//! configurable-http-proxy, a Node.js library.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{Cause::BadGateway, Processed::Maybe, Product::ConfigurableHttpProxy},
    fingerprint::matcher::Matcher::BodyContains,
};

const CONFIGURABLE_HTTP_PROXY: Reference = Reference::Recorded("configurable-http-proxy 5.3.0");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(ConfigurableHttpProxy), &[503], &[BodyContains("<p>configurable-http-proxy</p>")], BadGateway, Maybe, "configurable-http-proxy received no valid response; it returns 503 for all failures, including timeouts", CONFIGURABLE_HTTP_PROXY),
];
