//! @hapi/h2o2, a Node.js library.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::{
            ConnectionRefused, ConnectionTerminated, DnsError, HttpProtocolError,
            HttpResponseHeaderSectionSize, HttpResponseTimeout, TlsCertificateError,
            TlsProtocolError,
        },
        Processed::{Maybe, Unlikely},
        Product::Hapi,
    },
    fingerprint::matcher::Matcher::{self, BodyPrefix, JsonContains},
};

const HAPI: Reference = Reference::Recorded("@hapi/h2o2 10.0.4");

const CLIENT_REQUEST_ERROR: Matcher = JsonContains("\"message\":\"Client request error: ");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(Hapi), &[502], &[CLIENT_REQUEST_ERROR, JsonContains("connect ECONNREFUSED ")], ConnectionRefused, Unlikely, "the upstream refused the connection", HAPI),
    fingerprint(gateway(Hapi), &[502], &[CLIENT_REQUEST_ERROR, JsonContains("getaddrinfo ENOTFOUND ")], DnsError, Unlikely, "the upstream's name did not resolve", HAPI),
    fingerprint(gateway(Hapi), &[502], &[CLIENT_REQUEST_ERROR, JsonContains("error: socket hang up")], ConnectionTerminated, Maybe, "the upstream closed the connection before the response headers were complete", HAPI),
    fingerprint(gateway(Hapi), &[502], &[CLIENT_REQUEST_ERROR, JsonContains("ECONNRESET")], ConnectionTerminated, Maybe, "the upstream reset the connection", HAPI),
    fingerprint(gateway(Hapi), &[502], &[CLIENT_REQUEST_ERROR, JsonContains("Parse Error: Header overflow")], HttpResponseHeaderSectionSize, Maybe, "the headers of the upstream's response were too large", HAPI),
    fingerprint(gateway(Hapi), &[502], &[CLIENT_REQUEST_ERROR, JsonContains("Parse Error: ")], HttpProtocolError, Maybe, "the upstream's response was not HTTP", HAPI),
    fingerprint(gateway(Hapi), &[502], &[CLIENT_REQUEST_ERROR, JsonContains("certificate")], TlsCertificateError, Unlikely, "@hapi/h2o2 did not accept the upstream's certificate", HAPI),
    fingerprint(gateway(Hapi), &[502], &[CLIENT_REQUEST_ERROR, JsonContains("wrong version number")], TlsProtocolError, Unlikely, "the TLS handshake with the upstream failed", HAPI),
    fingerprint(gateway(Hapi), &[504], &[BodyPrefix("{\"statusCode\":504,\"error\":\"Gateway Time-out\",\"message\":\"Client request timeout\"}")], HttpResponseTimeout, Maybe, "the upstream did not accept a connection or respond before the timeout", HAPI),
];
