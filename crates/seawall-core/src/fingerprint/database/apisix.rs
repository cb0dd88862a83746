//! Apache APISIX.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::{BadGateway, GatewayTimeout, Overloaded},
        Processed::Maybe,
        Product::Apisix,
    },
    fingerprint::matcher::Matcher::{BodyContains, HeaderPrefix},
};

const APISIX: Reference =
    Reference::Documented("https://apisix.apache.org/docs/apisix/debug-function/");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(Apisix), &[502], &[HeaderPrefix("server", "APISIX"), BodyContains("<center>openresty</center>")], BadGateway, Maybe, "APISIX received no valid response", APISIX),
    fingerprint(gateway(Apisix), &[503], &[HeaderPrefix("server", "APISIX"), BodyContains("<center>openresty</center>")], Overloaded, Maybe, "APISIX rejected the request, or has no upstream for it", APISIX),
    fingerprint(gateway(Apisix), &[504], &[HeaderPrefix("server", "APISIX"), BodyContains("<center>openresty</center>")], GatewayTimeout, Maybe, "the upstream did not accept a connection or respond before APISIX's timeout", APISIX),
];
