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

/// Newer builds announce a retry in their text. A text that only older builds write may report a retry too.
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
    // After a retry, Envoy reports the latest attempt only. An earlier attempt may have been processed.
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(RETRIED), BodyContains("remote connection failure")], DestinationUnavailable, Maybe, "Envoy tried more than once, and at last could not connect to the upstream", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(RETRIED), BodyContains("connection failure")], DestinationUnavailable, Maybe, "Envoy tried more than once, and at last could not connect to the upstream", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(RETRIED), BodyContains("connection timeout")], ConnectionTimeout, Maybe, "Envoy tried more than once, and at last its connection timed out", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[502, 503], &[BodyPrefix(RETRIED), BodyContains("connection termination")], ConnectionTerminated, Maybe, "Envoy tried more than once, and at last the upstream closed the connection", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[502, 503], &[BodyPrefix(RETRIED), BodyContains("protocol error")], HttpProtocolError, Maybe, "Envoy tried more than once, and at last the upstream's answer was not HTTP, or its head was broken off or too large", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[502, 503, 504], &[BodyPrefix(RETRIED)], BadGateway, Maybe, "Envoy tried more than once, in vain", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(reset!("")), BodyContains("delayed connect error: 111")], ConnectionRefused, Maybe, "the upstream refused Envoy's connection", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(reset!("")), BodyContains("TLS_error")], TlsProtocolError, Maybe, "Envoy's TLS handshake with the upstream failed", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(reset!("remote connection failure"))], DestinationUnavailable, Unlikely, "Envoy could not connect to the upstream: refused, or its TLS failed", ENVOY),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(reset!("connection failure"))], DestinationUnavailable, Maybe, "Envoy could not connect to the upstream", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(reset!("connection timeout"))], ConnectionTimeout, Unlikely, "Envoy's connection to the upstream timed out", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(reset!("overflow"))], ConnectionLimitReached, Unlikely, "Envoy's limit of connections or requests to the upstream is reached", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix(reset!("connection termination"))], ConnectionTerminated, Maybe, "Envoy sent the request and the upstream closed the connection", ENVOY),
    fingerprint(gateway(Envoy), &[502, 503], &[BodyPrefix(reset!("protocol error"))], HttpProtocolError, Maybe, "what the upstream answered Envoy is not HTTP, or its head was broken off or too large", ENVOY),
    fingerprint(gateway(Envoy), &[502, 503], &[BodyPrefix(reset!(""))], BadGateway, Maybe, "Envoy got no response", ENVOY_DOCS),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix("no healthy upstream")], DestinationUnavailable, Maybe, "Envoy has no healthy host left for this cluster, perhaps since it tried one, or its name did not resolve", ENVOY),
    fingerprint(gateway(Envoy), &[503], &[BodyPrefix("DNS resolution failure")], DnsError, Unlikely, "Envoy could not resolve the upstream's name", ENVOY),
    fingerprint(gateway(Envoy), &[504], &[BodyPrefix("upstream request timeout")], HttpResponseTimeout, Maybe, "no response came within Envoy's timeout, its own further tries included", ENVOY),
    fingerprint(gateway(Envoy), &[429], &[BodyPrefix("local_rate_limited")], RateLimited, Unlikely, "Envoy's own rate limit", ENVOY),
];
