//! Gateways for APIs, and APIs that answer for themselves. Unverified: each row is what the page named beside it says.

use super::{Fingerprint, Source, gateway, row};
use crate::{
    bad_gateway::matcher::Matcher::{Begins, BodyHolds, Has, JsonHolds},
    failure::{
        Cause::{
            BadGateway, DestinationUnavailable, DnsError, GatewayTimeout, Overloaded,
            ProxyInternalError, RateLimited,
        },
        Processed::{Maybe, Unlikely},
        Product::{Apisix, Kong},
        Reporter,
    },
};

const KONG: Source = Source::Documented("https://developer.konghq.com/gateway/debug/");
const APISIX: Source = Source::Documented("https://apisix.apache.org/docs/apisix/debug-function/");
const OPENAI: Source = Source::Documented("https://platform.openai.com/docs/guides/error-codes");
const ANTHROPIC: Source = Source::Documented("https://docs.anthropic.com/en/api/errors");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    row(gateway(Kong), &[502], &[Begins("server", "kong/"), JsonHolds("An invalid response was received from the upstream server")], BadGateway, Maybe, "Kong got no valid response", KONG),
    row(gateway(Kong), &[503], &[Begins("server", "kong/"), JsonHolds("failure to get a peer from the ring-balancer")], DestinationUnavailable, Maybe, "Kong has no healthy target for this upstream", KONG),
    row(gateway(Kong), &[503], &[Begins("server", "kong/"), JsonHolds("name resolution failed")], DnsError, Maybe, "Kong could not resolve the upstream's name", KONG),
    row(gateway(Kong), &[503], &[Begins("server", "kong/"), JsonHolds("The upstream server is currently unavailable")], DestinationUnavailable, Maybe, "Kong got no response", KONG),
    row(gateway(Kong), &[504], &[Begins("server", "kong/"), JsonHolds("The upstream server is timing out")], GatewayTimeout, Maybe, "the upstream took too long for Kong, to connect or to respond", KONG),
    row(gateway(Kong), &[500], &[Begins("server", "kong/"), JsonHolds("An unexpected error occurred")], ProxyInternalError, Maybe, "Kong itself failed", KONG),
    row(gateway(Kong), &[429], &[Begins("server", "kong/"), JsonHolds("API rate limit exceeded")], RateLimited, Unlikely, "Kong's rate limit", KONG),
    row(gateway(Apisix), &[502], &[Begins("server", "APISIX"), BodyHolds("<center>openresty</center>")], BadGateway, Maybe, "APISIX got no valid response", APISIX),
    row(gateway(Apisix), &[503], &[Begins("server", "APISIX"), BodyHolds("<center>openresty</center>")], Overloaded, Maybe, "APISIX refused the request, or has no upstream for it", APISIX),
    row(gateway(Apisix), &[504], &[Begins("server", "APISIX"), BodyHolds("<center>openresty</center>")], GatewayTimeout, Maybe, "the upstream took too long for APISIX, to connect or to respond", APISIX),
    row(Reporter::Unknown, &[529, 503], &[JsonHolds("\"overloaded_error\"")], Overloaded, Unlikely, "the API is overloaded and refused the request", ANTHROPIC),
    row(Reporter::Unknown, &[429], &[JsonHolds("\"rate_limit_error\"")], RateLimited, Unlikely, "the API's rate limit", ANTHROPIC),
    row(Reporter::Unknown, &[429], &[JsonHolds("\"insufficient_quota\"")], RateLimited, Unlikely, "the account's quota is spent: waiting does not help", OPENAI),
    row(Reporter::Unknown, &[429], &[Has("x-ratelimit-limit-requests"), JsonHolds("\"rate_limit_exceeded\"")], RateLimited, Unlikely, "the API's rate limit", OPENAI),
];
