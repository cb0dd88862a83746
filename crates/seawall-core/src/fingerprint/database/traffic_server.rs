//! Apache Traffic Server.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::{
            BadGateway, ConnectionTerminated, DestinationUnavailable, DnsError, HttpResponseTimeout,
        },
        Processed::{Maybe, Unlikely},
        Product::TrafficServer,
    },
    fingerprint::matcher::Matcher::BodyContains,
};

const TRAFFIC_SERVER: Reference = Reference::Recorded("Apache Traffic Server 9.2.9");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    // The page is the same if Traffic Server resent a GET.
    fingerprint(gateway(TrafficServer), &[502], &[BodyContains("<TITLE>Could Not Connect</TITLE>"), BodyContains("Description: Could not connect to the requested server host.")], DestinationUnavailable, Maybe, "Traffic Server could not connect in its last attempt: the connection was refused or timed out, or TLS failed", TRAFFIC_SERVER),
    fingerprint(gateway(TrafficServer), &[502], &[BodyContains("<TITLE>Web Server Error</TITLE>"), BodyContains("Description: The host requested did not return the document correctly.")], BadGateway, Maybe, "Traffic Server sent the request, and the connection was closed or reset, or the response was malformed or too large", TRAFFIC_SERVER),
    fingerprint(gateway(TrafficServer), &[502], &[BodyContains("<TITLE>Server Connection Closed</TITLE>"), BodyContains("Description: The server requested closed the connection before")], ConnectionTerminated, Maybe, "the upstream closed the connection to Traffic Server before the response headers were complete", TRAFFIC_SERVER),
    fingerprint(gateway(TrafficServer), &[504], &[BodyContains("<TITLE>Inactivity Timeout</TITLE>"), BodyContains("Description: Too much time has passed without sending any data for document.")], HttpResponseTimeout, Maybe, "Traffic Server sent the request, and received no response before its timeout", TRAFFIC_SERVER),
    fingerprint(gateway(TrafficServer), &[500], &[BodyContains("<TITLE>Unknown Host</TITLE>"), BodyContains("Description: Unable to locate the server requested")], DnsError, Unlikely, "Traffic Server could not resolve the upstream's name", TRAFFIC_SERVER),
];
