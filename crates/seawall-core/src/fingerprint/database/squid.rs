//! Squid, which names its error in the header `X-Squid-Error`.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::{
            self, BadGateway, ConnectionReadTimeout, ConnectionRefused, ConnectionTerminated,
            ConnectionTimeout, DestinationIpUnroutable, DestinationUnavailable, DnsError,
            HttpProtocolError, HttpResponseHeaderSectionSize, HttpResponseTimeout,
            TlsProtocolError,
        },
        Processed::Maybe,
        Product::Squid,
    },
    fingerprint::matcher::Matcher::{BodyContains, HeaderEquals, HeaderPrefix, HeaderPresent},
};

const SQUID: Reference = Reference::Recorded("Squid 5.7");
const SQUID_DOCS: Reference =
    Reference::Documented("https://wiki.squid-cache.org/Features/CustomErrors");

#[rustfmt::skip]
pub(super) static BY_HEAD: &[Fingerprint] = &[
    // Squid resends a GET by itself, and reports the last attempt only. An earlier attempt may have been processed.
    fingerprint(gateway(Squid), &[], &[HeaderEquals("x-squid-error", "ERR_CONNECT_FAIL 111")], ConnectionRefused, Maybe, "the upstream refused Squid's connection", SQUID),
    fingerprint(gateway(Squid), &[], &[HeaderEquals("x-squid-error", "ERR_CONNECT_FAIL 110")], ConnectionTimeout, Maybe, "Squid's connection to the upstream timed out", SQUID_DOCS),
    fingerprint(gateway(Squid), &[], &[HeaderEquals("x-squid-error", "ERR_CONNECT_FAIL 113")], DestinationIpUnroutable, Maybe, "Squid found no route to the upstream's host", SQUID_DOCS),
    fingerprint(gateway(Squid), &[], &[HeaderEquals("x-squid-error", "ERR_CONNECT_FAIL 101")], DestinationIpUnroutable, Maybe, "Squid found no route to the upstream's network", SQUID_DOCS),
    fingerprint(gateway(Squid), &[], &[HeaderPrefix("x-squid-error", "ERR_CONNECT_FAIL")], DestinationUnavailable, Maybe, "Squid could not connect to the upstream", SQUID_DOCS),
    fingerprint(gateway(Squid), &[], &[HeaderEquals("x-squid-error", "ERR_ZERO_SIZE_OBJECT 0")], ConnectionTerminated, Maybe, "Squid sent the request and the upstream closed the connection without a word", SQUID),
    // Over TLS, Squid reports any failed read so. Only a nonzero error number identifies it.
    fingerprint(gateway(Squid), &[], &[HeaderEquals("x-squid-error", "ERR_READ_ERROR 0")], BadGateway, Maybe, "Squid found no peer to use, the name did not resolve, or the TLS connection broke off", SQUID),
    fingerprint(gateway(Squid), &[], &[HeaderEquals("x-squid-error", "ERR_READ_ERROR 104")], ConnectionTerminated, Maybe, "Squid sent the request and the upstream reset the connection", SQUID),
    fingerprint(gateway(Squid), &[], &[HeaderPrefix("x-squid-error", "ERR_READ_ERROR")], BadGateway, Maybe, "Squid could not read a response", SQUID_DOCS),
    fingerprint(gateway(Squid), &[], &[HeaderPrefix("x-squid-error", "ERR_READ_TIMEOUT")], ConnectionReadTimeout, Maybe, "Squid sent the request and waited too long for a response", SQUID),
    fingerprint(gateway(Squid), &[], &[HeaderPrefix("x-squid-error", "ERR_LIFETIME_EXP")], HttpResponseTimeout, Maybe, "the request took longer than Squid lets any take", SQUID_DOCS),
    fingerprint(gateway(Squid), &[], &[HeaderPrefix("x-squid-error", "ERR_TOO_BIG")], HttpResponseHeaderSectionSize, Maybe, "the head of the upstream's response was larger than Squid takes", SQUID),
    fingerprint(gateway(Squid), &[], &[HeaderPrefix("x-squid-error", "ERR_SECURE_CONNECT_FAIL")], TlsProtocolError, Maybe, "Squid's TLS handshake with the upstream failed, or its certificate was not accepted", SQUID),
    fingerprint(gateway(Squid), &[], &[HeaderPrefix("x-squid-error", "ERR_DNS_FAIL")], DnsError, Maybe, "Squid could not resolve the upstream's name", SQUID_DOCS),
    fingerprint(gateway(Squid), &[], &[HeaderPrefix("x-squid-error", "ERR_CANNOT_FORWARD")], DestinationUnavailable, Maybe, "Squid found no way to forward the request", SQUID_DOCS),
    fingerprint(gateway(Squid), &[], &[HeaderPrefix("x-squid-error", "ERR_INVALID_RESP")], HttpProtocolError, Maybe, "what the upstream answered is not HTTP", SQUID_DOCS),
    Fingerprint {
        cause: None,
        ..fingerprint(gateway(Squid), &[], &[HeaderPresent("x-squid-error")], Cause::Unknown, Maybe, "Squid's own answer", SQUID_DOCS)
    },
];

pub(super) static BY_BODY: &[Fingerprint] = &[Fingerprint {
    reporter: gateway(Squid),
    statuses: &[502, 503, 504],
    matchers: &[BodyContains("<body id=ERR_"), BodyContains("squid")],
    cause: None,
    processed: Maybe,
    summary: "Squid's own page; which error it was says the header X-Squid-Error, which has been taken away",
    reference: Reference::Documented("https://wiki.squid-cache.org/SquidFaq/OperatingSquid"),
}];
