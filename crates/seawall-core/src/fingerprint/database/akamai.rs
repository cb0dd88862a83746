//! Akamai.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::{BadGateway, DnsError, GatewayTimeout},
        Processed::{Maybe, Unlikely},
        Product::Akamai,
    },
    fingerprint::matcher::Matcher::{BodyContains, HeaderEquals},
};

const AKAMAI: Reference =
    Reference::Documented("https://techdocs.akamai.com/edge-diagnostics/docs/error-codes");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(Akamai), &[503], &[HeaderEquals("server", "AkamaiGHost"), BodyContains("DNS failure")], DnsError, Unlikely, "Akamai could not resolve the origin's name", AKAMAI),
    fingerprint(gateway(Akamai), &[500, 502, 503], &[HeaderEquals("server", "AkamaiGHost"), BodyContains("Reference&#32;&#35;")], BadGateway, Maybe, "Akamai generated this page; look up its reference number", AKAMAI),
    fingerprint(gateway(Akamai), &[504], &[HeaderEquals("server", "AkamaiGHost"), BodyContains("Reference&#32;&#35;")], GatewayTimeout, Maybe, "the origin did not respond before Akamai's timeout; look up the reference number", AKAMAI),
];
