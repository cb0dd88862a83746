//! h2o.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::{
            ConnectionRefused, ConnectionTerminated, ConnectionTimeout, DnsError,
            HttpProtocolError, HttpResponseTimeout, TlsCertificateError, TlsProtocolError,
        },
        Processed::{Maybe, Unlikely},
        Product::H2o,
    },
    fingerprint::matcher::Matcher::{self, BodyEquals, HeaderPrefix},
};

const H2O: Reference = Reference::Recorded("h2o 2.2.5");

// Relayed responses have this header too, but not these texts.
const H2O_SERVER: Matcher = HeaderPrefix("server", "h2o");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    // h2o never resends a request, not even after a closed connection.
    fingerprint(gateway(H2o), &[502], &[H2O_SERVER, BodyEquals("connection failed")], ConnectionRefused, Unlikely, "the upstream refused h2o's connection", H2O),
    fingerprint(gateway(H2o), &[502], &[H2O_SERVER, BodyEquals("connection timeout")], ConnectionTimeout, Unlikely, "h2o's connection to the upstream timed out", H2O),
    fingerprint(gateway(H2o), &[502], &[H2O_SERVER, BodyEquals("I/O error (head)")], ConnectionTerminated, Maybe, "h2o sent the request, and the connection was closed before the response headers were complete", H2O),
    fingerprint(gateway(H2o), &[502], &[H2O_SERVER, BodyEquals("I/O timeout")], HttpResponseTimeout, Maybe, "h2o sent the request, and received no response before its timeout", H2O),
    fingerprint(gateway(H2o), &[502], &[H2O_SERVER, BodyEquals("failed to parse the response")], HttpProtocolError, Maybe, "the upstream's response to h2o was not HTTP", H2O),
    fingerprint(gateway(H2o), &[502], &[H2O_SERVER, BodyEquals("Name or service not known")], DnsError, Unlikely, "h2o could not resolve the upstream's name", H2O),
    fingerprint(gateway(H2o), &[502], &[H2O_SERVER, BodyEquals("ssl handshake failure")], TlsProtocolError, Unlikely, "h2o's TLS handshake with the upstream failed", H2O),
    fingerprint(gateway(H2o), &[502], &[H2O_SERVER, BodyEquals("self-signed certificate")], TlsCertificateError, Unlikely, "h2o did not accept the upstream's certificate", H2O),
];
