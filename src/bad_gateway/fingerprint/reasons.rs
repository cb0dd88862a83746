//! Proxies that say the reason: Squid in a header, Envoy in its text.

use super::{Fingerprint, Source, gateway, row};
use crate::{
    bad_gateway::matcher::Matcher::{Begins, BodyBegins, BodyHolds, Has, Is},
    failure::{
        Cause::{
            self, BadGateway, ConnectionLimitReached, ConnectionReadTimeout, ConnectionRefused,
            ConnectionTerminated, ConnectionTimeout, DestinationIpUnroutable,
            DestinationUnavailable, DnsError, HttpProtocolError, HttpResponseHeaderSectionSize,
            HttpResponseTimeout, RateLimited, TlsProtocolError,
        },
        Processed::{Maybe, Unlikely},
        Product::{Envoy, Squid},
    },
};

const SQUID: Source = Source::Recorded("Squid 5.7");
const SQUID_DOCS: Source = Source::Documented("https://wiki.squid-cache.org/Features/CustomErrors");
const ENVOY: Source = Source::Recorded("Envoy 1.40.0");
const ENVOY_DOCS: Source = Source::Documented(
    "https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage",
);

/// Of builds that say so when they have tried again; older ones do not, so what only they write says nothing of a first try.
macro_rules! reset {
    ($reason:literal) => {
        concat!(
            "upstream connect error or disconnect/reset before headers. reset reason: ",
            $reason
        )
    };
}

#[rustfmt::skip]
pub(super) static BY_HEAD: &[Fingerprint] = &[
    // A GET that Squid has sent before, and now sends again by itself, ends so too: nothing follows for the first time.
    row(gateway(Squid), &[], &[Is("x-squid-error", "ERR_CONNECT_FAIL 111")], ConnectionRefused, Maybe, "the upstream refused Squid's connection", SQUID),
    row(gateway(Squid), &[], &[Is("x-squid-error", "ERR_CONNECT_FAIL 110")], ConnectionTimeout, Maybe, "Squid's connection to the upstream timed out", SQUID_DOCS),
    row(gateway(Squid), &[], &[Is("x-squid-error", "ERR_CONNECT_FAIL 113")], DestinationIpUnroutable, Maybe, "Squid found no route to the upstream's host", SQUID_DOCS),
    row(gateway(Squid), &[], &[Is("x-squid-error", "ERR_CONNECT_FAIL 101")], DestinationIpUnroutable, Maybe, "Squid found no route to the upstream's network", SQUID_DOCS),
    row(gateway(Squid), &[], &[Begins("x-squid-error", "ERR_CONNECT_FAIL")], DestinationUnavailable, Maybe, "Squid could not connect to the upstream", SQUID_DOCS),
    row(gateway(Squid), &[], &[Is("x-squid-error", "ERR_ZERO_SIZE_OBJECT 0")], ConnectionTerminated, Maybe, "Squid sent the request and the upstream closed the connection without a word", SQUID),
    // Over TLS of any failure to read: only the number of an error tells what it was.
    row(gateway(Squid), &[], &[Is("x-squid-error", "ERR_READ_ERROR 0")], BadGateway, Maybe, "Squid found no peer to use, the name did not resolve, or the TLS connection broke off", SQUID),
    row(gateway(Squid), &[], &[Is("x-squid-error", "ERR_READ_ERROR 104")], ConnectionTerminated, Maybe, "Squid sent the request and the upstream reset the connection", SQUID),
    row(gateway(Squid), &[], &[Begins("x-squid-error", "ERR_READ_ERROR")], BadGateway, Maybe, "Squid could not read a response", SQUID_DOCS),
    row(gateway(Squid), &[], &[Begins("x-squid-error", "ERR_READ_TIMEOUT")], ConnectionReadTimeout, Maybe, "Squid sent the request and waited too long for a response", SQUID),
    row(gateway(Squid), &[], &[Begins("x-squid-error", "ERR_LIFETIME_EXP")], HttpResponseTimeout, Maybe, "the request took longer than Squid lets any take", SQUID_DOCS),
    row(gateway(Squid), &[], &[Begins("x-squid-error", "ERR_TOO_BIG")], HttpResponseHeaderSectionSize, Maybe, "the head of the upstream's response was larger than Squid takes", SQUID),
    row(gateway(Squid), &[], &[Begins("x-squid-error", "ERR_SECURE_CONNECT_FAIL")], TlsProtocolError, Maybe, "Squid's TLS handshake with the upstream failed, or its certificate was not accepted", SQUID),
    row(gateway(Squid), &[], &[Begins("x-squid-error", "ERR_DNS_FAIL")], DnsError, Maybe, "Squid could not resolve the upstream's name", SQUID_DOCS),
    row(gateway(Squid), &[], &[Begins("x-squid-error", "ERR_CANNOT_FORWARD")], DestinationUnavailable, Maybe, "Squid found no way to forward the request", SQUID_DOCS),
    row(gateway(Squid), &[], &[Begins("x-squid-error", "ERR_INVALID_RESP")], HttpProtocolError, Maybe, "what the upstream answered is not HTTP", SQUID_DOCS),
    Fingerprint {
        cause: None,
        ..row(gateway(Squid), &[], &[Has("x-squid-error")], Cause::Unknown, Maybe, "Squid's own answer", SQUID_DOCS)
    },
];

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    // After a try of its own Envoy speaks of the latest only, so that an earlier one may have been processed.
    row(gateway(Envoy), &[503], &[BodyBegins(LATEST), BodyHolds("remote connection failure")], DestinationUnavailable, Maybe, "Envoy tried more than once, and at last could not connect to the upstream", ENVOY_DOCS),
    row(gateway(Envoy), &[503], &[BodyBegins(LATEST), BodyHolds("connection failure")], DestinationUnavailable, Maybe, "Envoy tried more than once, and at last could not connect to the upstream", ENVOY_DOCS),
    row(gateway(Envoy), &[503], &[BodyBegins(LATEST), BodyHolds("connection timeout")], ConnectionTimeout, Maybe, "Envoy tried more than once, and at last its connection timed out", ENVOY_DOCS),
    row(gateway(Envoy), &[502, 503], &[BodyBegins(LATEST), BodyHolds("connection termination")], ConnectionTerminated, Maybe, "Envoy tried more than once, and at last the upstream closed the connection", ENVOY_DOCS),
    row(gateway(Envoy), &[502, 503], &[BodyBegins(LATEST), BodyHolds("protocol error")], HttpProtocolError, Maybe, "Envoy tried more than once, and at last the upstream's answer was not HTTP, or its head was broken off or too large", ENVOY_DOCS),
    row(gateway(Envoy), &[502, 503, 504], &[BodyBegins(LATEST)], BadGateway, Maybe, "Envoy tried more than once, in vain", ENVOY_DOCS),
    row(gateway(Envoy), &[503], &[BodyBegins(reset!("")), BodyHolds("delayed connect error: 111")], ConnectionRefused, Maybe, "the upstream refused Envoy's connection", ENVOY_DOCS),
    row(gateway(Envoy), &[503], &[BodyBegins(reset!("")), BodyHolds("TLS_error")], TlsProtocolError, Maybe, "Envoy's TLS handshake with the upstream failed", ENVOY_DOCS),
    row(gateway(Envoy), &[503], &[BodyBegins(reset!("remote connection failure"))], DestinationUnavailable, Unlikely, "Envoy could not connect to the upstream: refused, or its TLS failed", ENVOY),
    row(gateway(Envoy), &[503], &[BodyBegins(reset!("connection failure"))], DestinationUnavailable, Maybe, "Envoy could not connect to the upstream", ENVOY_DOCS),
    row(gateway(Envoy), &[503], &[BodyBegins(reset!("connection timeout"))], ConnectionTimeout, Unlikely, "Envoy's connection to the upstream timed out", ENVOY_DOCS),
    row(gateway(Envoy), &[503], &[BodyBegins(reset!("overflow"))], ConnectionLimitReached, Unlikely, "Envoy's limit of connections or requests to the upstream is reached", ENVOY_DOCS),
    row(gateway(Envoy), &[503], &[BodyBegins(reset!("connection termination"))], ConnectionTerminated, Maybe, "Envoy sent the request and the upstream closed the connection", ENVOY),
    row(gateway(Envoy), &[502, 503], &[BodyBegins(reset!("protocol error"))], HttpProtocolError, Maybe, "what the upstream answered Envoy is not HTTP, or its head was broken off or too large", ENVOY),
    row(gateway(Envoy), &[502, 503], &[BodyBegins(reset!(""))], BadGateway, Maybe, "Envoy got no response", ENVOY_DOCS),
    row(gateway(Envoy), &[503], &[BodyBegins("no healthy upstream")], DestinationUnavailable, Maybe, "Envoy has no healthy host left for this cluster, perhaps since it tried one, or its name did not resolve", ENVOY),
    row(gateway(Envoy), &[503], &[BodyBegins("DNS resolution failure")], DnsError, Unlikely, "Envoy could not resolve the upstream's name", ENVOY),
    row(gateway(Envoy), &[504], &[BodyBegins("upstream request timeout")], HttpResponseTimeout, Maybe, "no response came within Envoy's timeout, its own further tries included", ENVOY),
    row(gateway(Envoy), &[429], &[BodyBegins("local_rate_limited")], RateLimited, Unlikely, "Envoy's own rate limit", ENVOY),
];

const LATEST: &str = "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: ";
