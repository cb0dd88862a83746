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
    // Matches the text alone, since the error files of Debian send it as HTTP/1.0 with other headers. With `retry-on`, a request
    // that was sent once and then refused ends in the same page.
    Fingerprint {
        reporter: gateway(HaProxy),
        statuses: &[503],
        matchers: &[BodyPrefix(
            "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n",
        )],
        cause: Some(DestinationUnavailable),
        processed: Maybe,
        summary: "HAProxy reached no server, at least the last time that it tried: refused, no answer to a connect, TLS, a name, a health check or a full queue; the two letters in its log say which",
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
        summary: "HAProxy sent the request and got no valid head of a response: closed, reset, broken or too large",
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
        summary: "HAProxy sent the request and no response came within `timeout server`",
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
        summary: "HAProxy made this answer itself, by a `deny` rule",
        reference: HAPROXY,
    },
];
