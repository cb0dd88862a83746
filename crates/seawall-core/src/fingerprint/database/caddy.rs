//! Caddy.

use super::{Fingerprint, Reference, gateway};
use crate::{
    failure::{
        Cause::{BadGateway, DestinationUnavailable, HttpResponseTimeout},
        Processed::Maybe,
        Product::Caddy,
    },
    fingerprint::matcher::Matcher::{self, HeaderEquals, NoOtherHeaders},
};

const CADDY: Reference = Reference::Recorded("Caddy 2.6.2");

const CADDY_DEFAULT_HEADERS: &[Matcher] = &[
    HeaderEquals("server", "Caddy"),
    HeaderEquals("content-length", "0"),
    NoOtherHeaders(&["server", "content-length", "date", "connection", "alt-svc"]),
];

pub(super) static BY_HEAD: &[Fingerprint] = &[
    // A response that Caddy generates has only these headers. Relayed responses have its `Server`
    // too, and usually more headers. An empty response without a content type looks the same.
    Fingerprint {
        reporter: gateway(Caddy),
        statuses: &[504],
        matchers: CADDY_DEFAULT_HEADERS,
        cause: Some(HttpResponseTimeout),
        processed: Maybe,
        summary: "Caddy sent the request and received no response headers within `response_header_timeout`",
        reference: CADDY,
    },
    Fingerprint {
        reporter: gateway(Caddy),
        statuses: &[502],
        matchers: CADDY_DEFAULT_HEADERS,
        cause: Some(BadGateway),
        processed: Maybe,
        summary: "Caddy received no valid response (connect, DNS or TLS failure, connection closed, or response malformed); its log has the reason",
        reference: CADDY,
    },
    Fingerprint {
        reporter: gateway(Caddy),
        statuses: &[503],
        matchers: CADDY_DEFAULT_HEADERS,
        cause: Some(DestinationUnavailable),
        processed: Maybe,
        summary: "Caddy has no upstream that is healthy and below its request limit, or the upstream sent an empty response",
        reference: Reference::Documented(
            "https://caddyserver.com/docs/caddyfile/directives/reverse_proxy",
        ),
    },
];
