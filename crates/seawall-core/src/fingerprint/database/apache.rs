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
        summary: "Apache's TLS handshake with the upstream failed, or Apache did not accept its certificate",
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
        summary: "Apache sent the request, and the upstream closed the connection or did not respond within ProxyTimeout",
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
        summary: "Apache received a response with incomplete or too large headers",
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
        summary: "Apache received no response (connection refused or timed out, all upstreams in error state, no free connection, or FastCGI server crashed); the page is the same for any Apache in maintenance",
        reference: APACHE,
    },
];
