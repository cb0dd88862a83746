//! Web servers and caches that are put in front of others, by their pages.

use super::{Fingerprint, Source, gateway, row};
use crate::{
    bad_gateway::matcher::Matcher::{self, Begins, BodyBegins, BodyHolds, BodyIs},
    failure::{
        Cause::{
            BadGateway, ConnectionTerminated, ConnectionTimeout, DestinationUnavailable, DnsError,
            HttpProtocolError, HttpResponseTimeout, TlsCertificateError, TlsProtocolError,
        },
        Processed::{Maybe, Unlikely},
        Product::{H2o, Lighttpd, Nghttpx, TrafficServer, Varnish},
    },
};

const VARNISH: Source = Source::Recorded("Varnish 7.1.1");
const LIGHTTPD: Source = Source::Recorded("lighttpd 1.4.69");
const ATS: Source = Source::Recorded("Apache Traffic Server 9.2.9");
const H2O: Source = Source::Recorded("h2o 2.2.5");
const NGHTTPX: Source = Source::Recorded("nghttpx 1.52.0");

/// The same for every status.
const LIGHTTPDS_PAGE: Matcher = BodyBegins(
    "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\"\n         \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n<html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n <head>\n  <title>",
);

// On what it relays as well; but there the text is another.
const OF_H2O: Matcher = Begins("server", "h2o");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    row(gateway(Varnish), &[503], &[BodyHolds("<h1>Error 503 Backend fetch failed</h1>"), BodyHolds("<p>Varnish cache server</p>")], BadGateway, Maybe, "Varnish got no valid response, for whatever reason, a timeout among them; its log says which", VARNISH),
    row(gateway(Lighttpd), &[503], &[LIGHTTPDS_PAGE], DestinationUnavailable, Unlikely, "lighttpd reached no upstream: refused, no answer to a connect, or disabled after a failure", LIGHTTPD),
    row(gateway(Lighttpd), &[500], &[LIGHTTPDS_PAGE], BadGateway, Maybe, "lighttpd sent the request and the connection was closed before the head of a response was there", LIGHTTPD),
    row(gateway(Lighttpd), &[502], &[LIGHTTPDS_PAGE], BadGateway, Maybe, "what the upstream answered lighttpd is not HTTP, or its head is too large", LIGHTTPD),
    row(gateway(Lighttpd), &[504], &[LIGHTTPDS_PAGE], HttpResponseTimeout, Maybe, "lighttpd sent the request and no response came in time", LIGHTTPD),
    // A GET that it has sent before, and now sends again by itself, ends in the same page.
    row(gateway(TrafficServer), &[502], &[BodyHolds("<TITLE>Could Not Connect</TITLE>"), BodyHolds("Description: Could not connect to the requested server host.")], DestinationUnavailable, Maybe, "Traffic Server could not connect, at least the last time that it tried: refused, no answer, or TLS", ATS),
    row(gateway(TrafficServer), &[502], &[BodyHolds("<TITLE>Web Server Error</TITLE>"), BodyHolds("Description: The host requested did not return the document correctly.")], BadGateway, Maybe, "Traffic Server sent the request and got no valid response: closed, reset, broken or too large", ATS),
    row(gateway(TrafficServer), &[502], &[BodyHolds("<TITLE>Server Connection Closed</TITLE>"), BodyHolds("Description: The server requested closed the connection before")], ConnectionTerminated, Maybe, "the upstream closed the connection to Traffic Server before the head of its response was whole", ATS),
    row(gateway(TrafficServer), &[504], &[BodyHolds("<TITLE>Inactivity Timeout</TITLE>"), BodyHolds("Description: Too much time has passed without sending any data for document.")], HttpResponseTimeout, Maybe, "Traffic Server sent the request and no response came in time", ATS),
    row(gateway(TrafficServer), &[500], &[BodyHolds("<TITLE>Unknown Host</TITLE>"), BodyHolds("Description: Unable to locate the server requested")], DnsError, Unlikely, "Traffic Server could not resolve the upstream's name", ATS),
    // It never sends a request again by itself, not even one that met a closed connection.
    row(gateway(H2o), &[502], &[OF_H2O, BodyIs("connection failed")], crate::failure::Cause::ConnectionRefused, Unlikely, "the upstream refused h2o's connection", H2O),
    row(gateway(H2o), &[502], &[OF_H2O, BodyIs("connection timeout")], ConnectionTimeout, Unlikely, "h2o's connection to the upstream timed out", H2O),
    row(gateway(H2o), &[502], &[OF_H2O, BodyIs("I/O error (head)")], ConnectionTerminated, Maybe, "h2o sent the request and the connection was closed before the head of a response was whole", H2O),
    row(gateway(H2o), &[502], &[OF_H2O, BodyIs("I/O timeout")], HttpResponseTimeout, Maybe, "h2o sent the request and no response came in time", H2O),
    row(gateway(H2o), &[502], &[OF_H2O, BodyIs("failed to parse the response")], HttpProtocolError, Maybe, "what the upstream answered h2o is not HTTP", H2O),
    row(gateway(H2o), &[502], &[OF_H2O, BodyIs("Name or service not known")], DnsError, Unlikely, "h2o could not resolve the upstream's name", H2O),
    row(gateway(H2o), &[502], &[OF_H2O, BodyIs("ssl handshake failure")], TlsProtocolError, Unlikely, "h2o's TLS handshake with the upstream failed", H2O),
    row(gateway(H2o), &[502], &[OF_H2O, BodyIs("self-signed certificate")], TlsCertificateError, Unlikely, "h2o did not accept the upstream's certificate", H2O),
    row(gateway(Nghttpx), &[502], &[BodyHolds("<h1>502 Bad Gateway</h1><footer>nghttpx</footer>")], BadGateway, Maybe, "nghttpx got no valid response, for whatever reason", NGHTTPX),
    row(gateway(Nghttpx), &[504], &[BodyHolds("<h1>504 Gateway Timeout</h1><footer>nghttpx</footer>")], HttpResponseTimeout, Maybe, "nghttpx waited too long, for a response or already for a connection: it answers the same to both", NGHTTPX),
];
