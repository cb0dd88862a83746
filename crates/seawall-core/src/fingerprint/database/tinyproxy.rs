//! tinyproxy.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::{BadGateway, DestinationUnavailable},
        Processed::{Maybe, Unlikely},
        Product::Tinyproxy,
    },
    fingerprint::matcher::Matcher::{self, BodyContains, HeaderPrefix},
};

const TINYPROXY: Reference = Reference::Recorded("tinyproxy 1.11.1");

const TINYPROXY_SERVER: Matcher = HeaderPrefix("server", "tinyproxy");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(Tinyproxy), &[500], &[TINYPROXY_SERVER, BodyContains("<title>500 Unable to connect</title>")], DestinationUnavailable, Unlikely, "tinyproxy could not resolve the upstream's name or connect to it", TINYPROXY),
    fingerprint(gateway(Tinyproxy), &[503], &[TINYPROXY_SERVER, BodyContains("<title>503 Could not retrieve all the headers</title>")], BadGateway, Maybe, "tinyproxy sent the request, and received no valid response headers", TINYPROXY),
];
