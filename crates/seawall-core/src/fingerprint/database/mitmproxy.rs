//! mitmproxy.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::{
            ConnectionRefused, ConnectionTerminated, DnsError, HttpProtocolError,
            HttpResponseIncomplete, TlsCertificateError, TlsProtocolError,
        },
        Processed::{Maybe, Unlikely},
        Product::Mitmproxy,
    },
    fingerprint::matcher::Matcher::{self, BodyContains, HeaderPrefix},
};

const MITMPROXY: Reference = Reference::Recorded("mitmproxy 11.0.2");

// Relayed responses do not have this header.
const MITMPROXY_SERVER: Matcher = HeaderPrefix("server", "mitmproxy");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(Mitmproxy), &[502], &[MITMPROXY_SERVER, BodyContains("<p>[Errno 111] ")], ConnectionRefused, Unlikely, "the upstream refused mitmproxy's connection", MITMPROXY),
    fingerprint(gateway(Mitmproxy), &[502], &[MITMPROXY_SERVER, BodyContains("<p>[Errno -2] ")], DnsError, Unlikely, "mitmproxy could not resolve the upstream's name", MITMPROXY),
    fingerprint(gateway(Mitmproxy), &[502], &[MITMPROXY_SERVER, BodyContains("<p>server closed connection</p>")], ConnectionTerminated, Maybe, "mitmproxy sent the request, and the upstream closed the connection", MITMPROXY),
    fingerprint(gateway(Mitmproxy), &[502], &[MITMPROXY_SERVER, BodyContains("<p>unexpected server response: ")], HttpProtocolError, Maybe, "the upstream's response to mitmproxy was not HTTP, or its headers were incomplete", MITMPROXY),
    fingerprint(gateway(Mitmproxy), &[502], &[MITMPROXY_SERVER, BodyContains("without sending complete message body")], HttpResponseIncomplete, Maybe, "the upstream's response to mitmproxy was incomplete", MITMPROXY),
    fingerprint(gateway(Mitmproxy), &[502], &[MITMPROXY_SERVER, BodyContains("<p>The remote server does not speak TLS.</p>")], TlsProtocolError, Unlikely, "mitmproxy's TLS handshake with the upstream failed", MITMPROXY),
    fingerprint(gateway(Mitmproxy), &[502], &[MITMPROXY_SERVER, BodyContains("<p>Certificate verify failed: ")], TlsCertificateError, Unlikely, "mitmproxy did not accept the upstream's certificate", MITMPROXY),
];
