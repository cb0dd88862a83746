//! Envoy, which names the reset reason in the body.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::{
            BadGateway, ConnectionLimitReached, ConnectionRefused, ConnectionTerminated,
            ConnectionTimeout, DestinationUnavailable, DnsError, HttpProtocolError,
            HttpResponseTimeout, RateLimited, TlsProtocolError,
        },
        Processed::{Maybe, Unlikely},
        Product::Envoy,
    },
    fingerprint::matcher::Matcher::{BodyContains, BodyPrefix},
};

const ENVOY: Reference = Reference::Recorded("Envoy 1.40.0");
const ENVOY_DOCS: Reference = Reference::Documented(
    "https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage",
);

const RETRIED: &str = "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: ";

/// The text without a retry. Only newer builds mention a retry, so with an older build the request
/// may have been retried.
macro_rules! reset {
    ($reason:literal) => {
        concat!(
            "upstream connect error or disconnect/reset before headers. reset reason: ",
            $reason
        )
    };
}

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    // After a retry, Envoy reports only the last attempt. An earlier one may have been processed.
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(RETRIED), BodyContains("remote connection failure")], DestinationUnavailable, Maybe, "Envoy retried, and its last attempt could not connect to the upstream", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(RETRIED), BodyContains("connection failure")], DestinationUnavailable, Maybe, "Envoy retried, and its last attempt could not connect to the upstream", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(RETRIED), BodyContains("connection timeout")], ConnectionTimeout, Maybe, "Envoy retried, and the connection of its last attempt timed out", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[502, 503], &[BodyPrefix(RETRIED), BodyContains("connection termination")], ConnectionTerminated, Maybe, "Envoy retried, and the upstream closed the connection of the last attempt", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[502, 503], &[BodyPrefix(RETRIED), BodyContains("protocol error")], HttpProtocolError, Maybe, "Envoy retried, and the last response was not HTTP, or its headers were incomplete or too large", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[502, 503, 504], &[BodyPrefix(RETRIED)], BadGateway, Maybe, "Envoy retried, and all attempts failed", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(reset!("")), BodyContains("delayed connect error: 111")], ConnectionRefused, Maybe, "the upstream refused Envoy's connection", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(reset!("")), BodyContains("TLS_error")], TlsProtocolError, Maybe, "Envoy's TLS handshake with the upstream failed", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(reset!("remote connection failure"))], DestinationUnavailable, Unlikely, "Envoy could not connect to the upstream: the connection was refused, or TLS failed", ENVOY),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(reset!("connection failure"))], DestinationUnavailable, Maybe, "Envoy could not connect to the upstream", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(reset!("connection timeout"))], ConnectionTimeout, Unlikely, "Envoy's connection to the upstream timed out", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(reset!("overflow"))], ConnectionLimitReached, Unlikely, "Envoy reached its limit of connections or requests to the upstream", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(reset!("connection termination"))], ConnectionTerminated, Maybe, "Envoy sent the request, and the upstream closed the connection", ENVOY),
    fingerprint(gateway(Envoy), &[502, 503], &[BodyPrefix(reset!("protocol error"))], HttpProtocolError, Maybe, "the upstream's response to Envoy was not HTTP, or its headers were incomplete or too large", ENVOY),
    fingerprint(gateway(Envoy), &[502, 503], &[BodyPrefix(reset!(""))], BadGateway, Maybe, "Envoy received no response", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix("no healthy upstream")], DestinationUnavailable, Maybe, "Envoy has no healthy host in this cluster (possibly after a failed attempt), or the name did not resolve", ENVOY),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix("DNS resolution failure")], DnsError, Unlikely, "Envoy could not resolve the upstream's name", ENVOY),
    fingerprint(gateway(Envoy), &[504], &[BodyPrefix("upstream request timeout")], HttpResponseTimeout, Maybe, "Envoy received no response within its timeout, which includes its retries", ENVOY),
    fingerprint(gateway(Envoy), &[429], &[BodyPrefix("local_rate_limited")], RateLimited, Unlikely, "Envoy's local rate limit rejected the request", ENVOY),
];
