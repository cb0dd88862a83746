//! Kong.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::{
            BadGateway, DestinationUnavailable, DnsError, GatewayTimeout, ProxyInternalError,
            RateLimited,
        },
        Processed::{Maybe, Unlikely},
        Product::Kong,
    },
    fingerprint::matcher::Matcher::{HeaderPrefix, JsonContains},
};

const KONG: Reference = Reference::Documented("https://developer.konghq.com/gateway/debug/");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(Kong), &[502], &[HeaderPrefix("server", "kong/"), JsonContains("An invalid response was received from the upstream server")], BadGateway, Maybe, "Kong received no valid response", KONG),
    fingerprint(gateway(Kong), &[503], &[HeaderPrefix("server", "kong/"), JsonContains("failure to get a peer from the ring-balancer")], DestinationUnavailable, Maybe, "Kong has no healthy target for this upstream", KONG),
    fingerprint(gateway(Kong), &[503], &[HeaderPrefix("server", "kong/"), JsonContains("name resolution failed")], DnsError, Maybe, "Kong could not resolve the upstream's name", KONG),
    fingerprint(gateway(Kong), &[503], &[HeaderPrefix("server", "kong/"), JsonContains("The upstream server is currently unavailable")], DestinationUnavailable, Maybe, "Kong received no response", KONG),
    fingerprint(gateway(Kong), &[504], &[HeaderPrefix("server", "kong/"), JsonContains("The upstream server is timing out")], GatewayTimeout, Maybe, "the upstream did not accept a connection or respond before Kong's timeout", KONG),
    fingerprint(gateway(Kong), &[500], &[HeaderPrefix("server", "kong/"), JsonContains("An unexpected error occurred")], ProxyInternalError, Maybe, "Kong itself failed", KONG),
    fingerprint(gateway(Kong), &[429], &[HeaderPrefix("server", "kong/"), JsonContains("API rate limit exceeded")], RateLimited, Unlikely, "Kong's rate limit rejected the request", KONG),
];
