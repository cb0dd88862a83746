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
    // A GET that Traffic Server resends by itself ends in the same page.
    fingerprint(gateway(TrafficServer), &[502], &[BodyContains("<TITLE>Could Not Connect</TITLE>"), BodyContains("Description: Could not connect to the requested server host.")], DestinationUnavailable, Maybe, "Traffic Server could not connect, at least the last time that it tried: refused, no answer, or TLS", TRAFFIC_SERVER),
    fingerprint(gateway(TrafficServer), &[502], &[BodyContains("<TITLE>Web Server Error</TITLE>"), BodyContains("Description: The host requested did not return the document correctly.")], BadGateway, Maybe, "Traffic Server sent the request and got no valid response: closed, reset, broken or too large", TRAFFIC_SERVER),
    fingerprint(gateway(TrafficServer), &[502], &[BodyContains("<TITLE>Server Connection Closed</TITLE>"), BodyContains("Description: The server requested closed the connection before")], ConnectionTerminated, Maybe, "the upstream closed the connection to Traffic Server before the head of its response was whole", TRAFFIC_SERVER),
    fingerprint(gateway(TrafficServer), &[504], &[BodyContains("<TITLE>Inactivity Timeout</TITLE>"), BodyContains("Description: Too much time has passed without sending any data for document.")], HttpResponseTimeout, Maybe, "Traffic Server sent the request and no response came in time", TRAFFIC_SERVER),
    fingerprint(gateway(TrafficServer), &[500], &[BodyContains("<TITLE>Unknown Host</TITLE>"), BodyContains("Description: Unable to locate the server requested")], DnsError, Unlikely, "Traffic Server could not resolve the upstream's name", TRAFFIC_SERVER),
];
