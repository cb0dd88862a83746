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
    // Squid resends a GET, and reports only the last attempt. An earlier one may have been
    // processed.
    fingerprint(gateway(Squid), &[], &[HeaderEquals("x-squid-error", "ERR_CONNECT_FAIL 111")], ConnectionRefused, Maybe, "the upstream refused Squid's connection", SQUID),
    fingerprint(gateway(Squid), &[], &[HeaderEquals("x-squid-error", "ERR_CONNECT_FAIL 110")], ConnectionTimeout, Maybe, "Squid's connection to the upstream timed out", SQUID_DOCS),
    fingerprint(gateway(Squid), &[], &[HeaderEquals("x-squid-error", "ERR_CONNECT_FAIL 113")], DestinationIpUnroutable, Maybe, "Squid found no route to the upstream's host", SQUID_DOCS),
    fingerprint(gateway(Squid), &[], &[HeaderEquals("x-squid-error", "ERR_CONNECT_FAIL 101")], DestinationIpUnroutable, Maybe, "Squid found no route to the upstream's network", SQUID_DOCS),
    fingerprint(gateway(Squid), &[], &[HeaderPrefix("x-squid-error", "ERR_CONNECT_FAIL")], DestinationUnavailable, Maybe, "Squid could not connect to the upstream", SQUID_DOCS),
    fingerprint(gateway(Squid), &[], &[HeaderEquals("x-squid-error", "ERR_ZERO_SIZE_OBJECT 0")], ConnectionTerminated, Maybe, "Squid sent the request, and the upstream closed the connection without a response", SQUID),
    // Over TLS, Squid reports every failed read with the error number 0, so the cause is unknown.
    fingerprint(gateway(Squid), &[], &[HeaderEquals("x-squid-error", "ERR_READ_ERROR 0")], BadGateway, Maybe, "Squid found no usable peer, the name did not resolve, or the TLS connection was interrupted", SQUID),
    fingerprint(gateway(Squid), &[], &[HeaderEquals("x-squid-error", "ERR_READ_ERROR 104")], ConnectionTerminated, Maybe, "Squid sent the request, and the upstream reset the connection", SQUID),
    fingerprint(gateway(Squid), &[], &[HeaderPrefix("x-squid-error", "ERR_READ_ERROR")], BadGateway, Maybe, "Squid could not read the response", SQUID_DOCS),
    fingerprint(gateway(Squid), &[], &[HeaderPrefix("x-squid-error", "ERR_READ_TIMEOUT")], ConnectionReadTimeout, Maybe, "Squid sent the request, and received no response before its timeout", SQUID),
    fingerprint(gateway(Squid), &[], &[HeaderPrefix("x-squid-error", "ERR_LIFETIME_EXP")], HttpResponseTimeout, Maybe, "the request exceeded Squid's maximum request duration", SQUID_DOCS),
    fingerprint(gateway(Squid), &[], &[HeaderPrefix("x-squid-error", "ERR_TOO_BIG")], HttpResponseHeaderSectionSize, Maybe, "the headers of the upstream's response exceeded Squid's limit", SQUID),
    fingerprint(gateway(Squid), &[], &[HeaderPrefix("x-squid-error", "ERR_SECURE_CONNECT_FAIL")], TlsProtocolError, Maybe, "Squid's TLS handshake with the upstream failed, or Squid did not accept its certificate", SQUID),
    fingerprint(gateway(Squid), &[], &[HeaderPrefix("x-squid-error", "ERR_DNS_FAIL")], DnsError, Maybe, "Squid could not resolve the upstream's name", SQUID_DOCS),
    fingerprint(gateway(Squid), &[], &[HeaderPrefix("x-squid-error", "ERR_CANNOT_FORWARD")], DestinationUnavailable, Maybe, "Squid could not forward the request", SQUID_DOCS),
    fingerprint(gateway(Squid), &[], &[HeaderPrefix("x-squid-error", "ERR_INVALID_RESP")], HttpProtocolError, Maybe, "the upstream's response was not HTTP", SQUID_DOCS),
    Fingerprint {
        cause: None,
        ..fingerprint(gateway(Squid), &[], &[HeaderPresent("x-squid-error")], Cause::Unknown, Maybe, "Squid generated this response", SQUID_DOCS)
    },
];

pub(super) static BY_BODY: &[Fingerprint] = &[Fingerprint {
    reporter: gateway(Squid),
    statuses: &[502, 503, 504],
    matchers: &[BodyContains("<body id=ERR_"), BodyContains("squid")],
    cause: None,
    processed: Maybe,
    summary: "Squid generated this page; a later hop removed the header X-Squid-Error, which names the error",
    reference: Reference::Documented("https://wiki.squid-cache.org/SquidFaq/OperatingSquid"),
}];
