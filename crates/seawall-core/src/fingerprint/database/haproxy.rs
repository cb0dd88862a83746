//! HAProxy.

use super::{Fingerprint, Reference, gateway};
use crate::{
    failure::{
        Cause::{BadGateway, DestinationUnavailable, HttpResponseTimeout, RateLimited},
        Processed::{Maybe, Unlikely},
        Product::HaProxy,
    },
    fingerprint::matcher::Matcher::BodyPrefix,
};

const HAPROXY: Reference = Reference::Recorded("HAProxy 2.6.12");

pub(super) static BY_BODY: &[Fingerprint] = &[
    // Matches the text alone, because Debian's error files send it as HTTP/1.0 with other headers.
    // With `retry-on`, the page is the same if an earlier attempt sent the request.
    Fingerprint {
        reporter: gateway(HaProxy),
        statuses: &[503],
        matchers: &[BodyPrefix(
            "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n",
        )],
        cause: Some(DestinationUnavailable),
        processed: Maybe,
        summary: "HAProxy could not reach a server in its last attempt (connection refused or timed out, TLS or DNS failure, failed health check, or full queue); the two-letter termination state in its log has the reason",
        reference: HAPROXY,
    },
    Fingerprint {
        reporter: gateway(HaProxy),
        statuses: &[502],
        matchers: &[BodyPrefix(
            "<html><body><h1>502 Bad Gateway</h1>\nThe server returned an invalid or incomplete response.\n",
        )],
        cause: Some(BadGateway),
        processed: Maybe,
        summary: "HAProxy sent the request, and the connection was closed or reset, or the response headers were invalid or too large",
        reference: HAPROXY,
    },
    Fingerprint {
        reporter: gateway(HaProxy),
        statuses: &[504],
        matchers: &[BodyPrefix(
            "<html><body><h1>504 Gateway Time-out</h1>\nThe server didn't respond in time.\n",
        )],
        cause: Some(HttpResponseTimeout),
        processed: Maybe,
        summary: "HAProxy sent the request, and received no response within `timeout server`",
        reference: HAPROXY,
    },
    Fingerprint {
        reporter: gateway(HaProxy),
        statuses: &[429],
        matchers: &[BodyPrefix(
            "<html><body><h1>429 Too Many Requests</h1>\nYou have sent too many requests in a given amount of time.\n",
        )],
        cause: Some(RateLimited),
        processed: Unlikely,
        summary: "a `deny` rule of HAProxy generated this response",
        reference: HAPROXY,
    },
];
