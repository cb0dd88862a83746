//! Apache httpd with `mod_proxy`.

use super::{Fingerprint, Reference, gateway};
use crate::{
    failure::{
        Cause::{BadGateway, DestinationUnavailable, DnsError, TlsProtocolError},
        Processed::{Maybe, Unlikely},
        Product::Apache,
    },
    fingerprint::matcher::Matcher::BodyContains,
};

const APACHE: Reference = Reference::Recorded("Apache httpd 2.4.71");

pub(super) static BY_BODY: &[Fingerprint] = &[
    Fingerprint {
        reporter: gateway(Apache),
        statuses: &[500],
        matchers: &[BodyContains("<p>Reason: <strong>DNS lookup failure for: ")],
        cause: Some(DnsError),
        processed: Unlikely,
        summary: "Apache could not resolve the upstream's name",
        reference: APACHE,
    },
    Fingerprint {
        reporter: gateway(Apache),
        statuses: &[500],
        matchers: &[BodyContains(
            "<p>Reason: <strong>Error during SSL Handshake with remote server</strong></p>",
        )],
        cause: Some(TlsProtocolError),
        processed: Unlikely,
        summary: "Apache's TLS handshake with the upstream failed, or its certificate was not accepted",
        reference: APACHE,
    },
    Fingerprint {
        reporter: gateway(Apache),
        statuses: &[502],
        matchers: &[BodyContains(
            "<p>Reason: <strong>Error reading from remote server</strong></p>",
        )],
        cause: Some(BadGateway),
        processed: Maybe,
        summary: "Apache sent the request, and the upstream closed the connection, or was silent for longer than ProxyTimeout",
        reference: APACHE,
    },
    Fingerprint {
        reporter: gateway(Apache),
        statuses: &[502],
        matchers: &[BodyContains(
            "<p>The proxy server received an invalid\r\nresponse from an upstream server.<br />",
        )],
        cause: Some(BadGateway),
        processed: Maybe,
        summary: "Apache got a response whose head was broken off or too large",
        reference: APACHE,
    },
    Fingerprint {
        reporter: gateway(Apache),
        statuses: &[503],
        matchers: &[BodyContains(
            "<p>The server is temporarily unable to service your\nrequest due to maintenance downtime or capacity\nproblems. Please try again later.</p>",
        )],
        cause: Some(DestinationUnavailable),
        processed: Maybe,
        summary: "Apache got no response: refused, no answer to a connect, all upstreams in error, no free connection, or a FastCGI server that died; any Apache in maintenance answers the same",
        reference: APACHE,
    },
];
