//! Privoxy.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::{ConnectionRefused, ConnectionTerminated, HttpProtocolError, HttpResponseTimeout},
        Processed::Maybe,
        Product::Privoxy,
    },
    fingerprint::matcher::Matcher::{BodyContains, BodyPrefix},
};

const PRIVOXY: Reference = Reference::Recorded("Privoxy 3.0.34");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(Privoxy), &[503], &[BodyContains("<title>503 - Connect failed (Privoxy@")], ConnectionRefused, Maybe, "the upstream refused the connection of Privoxy's last attempt", PRIVOXY),
    fingerprint(gateway(Privoxy), &[502], &[BodyContains("<title>502 - No server or forwarder data received (Privoxy@")], ConnectionTerminated, Maybe, "Privoxy sent the request, and the upstream closed the connection without a response", PRIVOXY),
    fingerprint(gateway(Privoxy), &[504], &[BodyContains("<title>504 - Connection timeout (Privoxy@")], HttpResponseTimeout, Maybe, "Privoxy sent the request, and received no response before its timeout", PRIVOXY),
    fingerprint(gateway(Privoxy), &[502], &[BodyPrefix("Bad response. The server or forwarder response doesn't look like HTTP.")], HttpProtocolError, Maybe, "the upstream's response to Privoxy was not HTTP, or its headers were incomplete", PRIVOXY),
];
