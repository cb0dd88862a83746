//! Proxies for developers and for single machines, and those that applications are made into by a library.

use super::{Fingerprint, Source, gateway, row};
use crate::{
    bad_gateway::matcher::Matcher::{self, Begins, BodyBegins, BodyHolds, JsonHolds},
    failure::{
        Cause::{
            BadGateway, ConnectionRefused, ConnectionTerminated, ConnectionTimeout,
            DestinationUnavailable, DnsError, HttpProtocolError, HttpResponseHeaderSectionSize,
            HttpResponseTimeout, TlsCertificateError, TlsProtocolError,
        },
        Processed::{Maybe, Unlikely},
        Product::{
            ConfigurableHttpProxy, ExpressHttpProxy, Fastify, Hapi, HttpProxyMiddleware, Mitmproxy,
            Privoxy, Tinyproxy,
        },
    },
};

const TINYPROXY: Source = Source::Recorded("tinyproxy 1.11.1");
const PRIVOXY: Source = Source::Recorded("Privoxy 3.0.34");
const MITMPROXY: Source = Source::Recorded("mitmproxy 11.0.2");
const FASTIFY: Source = Source::Recorded("@fastify/http-proxy 11.6.3");
const HAPI: Source = Source::Recorded("@hapi/h2o2 10.0.4");
const MIDDLEWARE: Source = Source::Recorded("http-proxy-middleware 3.0.11");
const EXPRESS: Source = Source::Recorded("express-http-proxy 2.1.2");
const CONFIGURABLE: Source = Source::Recorded("configurable-http-proxy 5.3.0");

// On nothing that they relay.
const OF_MITMPROXY: Matcher = Begins("server", "mitmproxy");
const OF_TINYPROXY: Matcher = Begins("server", "tinyproxy");

const OF_FASTIFY: Matcher = BodyBegins("{\"statusCode\":");
const REPLY_FROM: Matcher = JsonHolds("\"code\":\"FST_REPLY_FROM_INTERNAL_SERVER_ERROR\"");
const OF_HAPI: Matcher = JsonHolds("\"message\":\"Client request error: ");

#[rustfmt::skip]
pub(super) static BY_HEAD: &[Fingerprint] = &[
    // To any connection that was closed or reset as well, and so no timeout.
    row(gateway(ExpressHttpProxy), &[504], &[Begins("x-timeout-reason", "express-http-proxy")], BadGateway, Maybe, "express-http-proxy got no response: closed, reset, or too late, to all of which it answers 504", EXPRESS),
];

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    row(gateway(Tinyproxy), &[500], &[OF_TINYPROXY, BodyHolds("<title>500 Unable to connect</title>")], DestinationUnavailable, Unlikely, "tinyproxy could not connect to the upstream, or not resolve its name", TINYPROXY),
    row(gateway(Tinyproxy), &[503], &[OF_TINYPROXY, BodyHolds("<title>503 Could not retrieve all the headers</title>")], BadGateway, Maybe, "tinyproxy sent the request and got no valid head of a response", TINYPROXY),
    row(gateway(Privoxy), &[503], &[BodyHolds("<title>503 - Connect failed (Privoxy@")], ConnectionRefused, Maybe, "at the last try the upstream refused Privoxy's connection", PRIVOXY),
    row(gateway(Privoxy), &[502], &[BodyHolds("<title>502 - No server or forwarder data received (Privoxy@")], ConnectionTerminated, Maybe, "Privoxy sent the request and the upstream closed the connection without a word", PRIVOXY),
    row(gateway(Privoxy), &[504], &[BodyHolds("<title>504 - Connection timeout (Privoxy@")], HttpResponseTimeout, Maybe, "Privoxy sent the request and no response came in time", PRIVOXY),
    row(gateway(Privoxy), &[502], &[BodyBegins("Bad response. The server or forwarder response doesn't look like HTTP.")], HttpProtocolError, Maybe, "what the upstream answered Privoxy is not HTTP, or broke off in its head", PRIVOXY),
    row(gateway(Mitmproxy), &[502], &[OF_MITMPROXY, BodyHolds("<p>[Errno 111] ")], ConnectionRefused, Unlikely, "the upstream refused mitmproxy's connection", MITMPROXY),
    row(gateway(Mitmproxy), &[502], &[OF_MITMPROXY, BodyHolds("<p>[Errno -2] ")], DnsError, Unlikely, "mitmproxy could not resolve the upstream's name", MITMPROXY),
    row(gateway(Mitmproxy), &[502], &[OF_MITMPROXY, BodyHolds("<p>server closed connection</p>")], ConnectionTerminated, Maybe, "mitmproxy sent the request and the upstream closed the connection", MITMPROXY),
    row(gateway(Mitmproxy), &[502], &[OF_MITMPROXY, BodyHolds("<p>unexpected server response: ")], HttpProtocolError, Maybe, "what the upstream answered mitmproxy is not HTTP, or broke off in its head", MITMPROXY),
    row(gateway(Mitmproxy), &[502], &[OF_MITMPROXY, BodyHolds("without sending complete message body")], crate::failure::Cause::HttpResponseIncomplete, Maybe, "the upstream's answer to mitmproxy broke off", MITMPROXY),
    row(gateway(Mitmproxy), &[502], &[OF_MITMPROXY, BodyHolds("<p>The remote server does not speak TLS.</p>")], TlsProtocolError, Unlikely, "mitmproxy's TLS handshake with the upstream failed", MITMPROXY),
    row(gateway(Mitmproxy), &[502], &[OF_MITMPROXY, BodyHolds("<p>Certificate verify failed: ")], TlsCertificateError, Unlikely, "mitmproxy did not accept the upstream's certificate", MITMPROXY),
    row(gateway(HttpProxyMiddleware), &[504], &[BodyBegins("Error occurred while trying to proxy: ")], BadGateway, Maybe, "http-proxy-middleware got no response: refused, closed, reset, too late or no such name, to all of which it answers 504", MIDDLEWARE),
    row(gateway(HttpProxyMiddleware), &[502], &[BodyBegins("Error occurred while trying to proxy: ")], HttpProtocolError, Maybe, "what the upstream answered http-proxy-middleware is not HTTP", MIDDLEWARE),
    row(gateway(HttpProxyMiddleware), &[500], &[BodyBegins("Error occurred while trying to proxy: ")], BadGateway, Maybe, "http-proxy-middleware got no valid response: TLS failed, or the head was too large", MIDDLEWARE),
    row(gateway(ConfigurableHttpProxy), &[503], &[BodyHolds("<p>configurable-http-proxy</p>")], BadGateway, Maybe, "configurable-http-proxy got no valid response, for whatever reason, a timeout among them", CONFIGURABLE),
    // It sends a GET that was answered 503 ten times more, so that nothing it says at last holds of the first time.
    row(gateway(Fastify), &[500], &[OF_FASTIFY, REPLY_FROM, JsonHolds("\"connect ECONNREFUSED ")], ConnectionRefused, Maybe, "the upstream refused the connection", FASTIFY),
    row(gateway(Fastify), &[500], &[OF_FASTIFY, REPLY_FROM, JsonHolds("Response does not match the HTTP/1.1 protocol")], HttpProtocolError, Maybe, "what the upstream answered is not HTTP", FASTIFY),
    row(gateway(Fastify), &[500], &[OF_FASTIFY, REPLY_FROM, JsonHolds("\"Headers Overflow Error\"")], HttpResponseHeaderSectionSize, Maybe, "the head of the upstream's response was too large", FASTIFY),
    row(gateway(Fastify), &[500], &[OF_FASTIFY, REPLY_FROM, JsonHolds(":SSL routines:")], TlsProtocolError, Maybe, "the TLS handshake with the upstream failed", FASTIFY),
    row(gateway(Fastify), &[500], &[OF_FASTIFY, JsonHolds("\"code\":\"UND_ERR_SOCKET\""), JsonHolds("\"message\":\"Undici Socket Error\"")], ConnectionTerminated, Maybe, "the upstream closed the connection before the head of its response was whole", FASTIFY),
    row(gateway(Fastify), &[500], &[OF_FASTIFY, JsonHolds("\"code\":\"ECONNRESET\""), JsonHolds("\"message\":\"Connection Reset\"")], ConnectionTerminated, Maybe, "the upstream reset the connection", FASTIFY),
    row(gateway(Fastify), &[504], &[OF_FASTIFY, JsonHolds("\"code\":\"UND_ERR_CONNECT_TIMEOUT\"")], ConnectionTimeout, Maybe, "the connection to the upstream timed out", FASTIFY),
    row(gateway(Fastify), &[504], &[OF_FASTIFY, JsonHolds("\"code\":\"FST_REPLY_FROM_GATEWAY_TIMEOUT\"")], HttpResponseTimeout, Maybe, "the upstream's response took too long", FASTIFY),
    row(gateway(Fastify), &[503], &[OF_FASTIFY, JsonHolds("\"code\":\"FST_REPLY_FROM_SERVICE_UNAVAILABLE\"")], DestinationUnavailable, Maybe, "the upstream's name did not resolve, or it cancelled the stream", FASTIFY),
    row(gateway(Hapi), &[502], &[OF_HAPI, JsonHolds("connect ECONNREFUSED ")], ConnectionRefused, Unlikely, "the upstream refused the connection", HAPI),
    row(gateway(Hapi), &[502], &[OF_HAPI, JsonHolds("getaddrinfo ENOTFOUND ")], DnsError, Unlikely, "the upstream's name did not resolve", HAPI),
    row(gateway(Hapi), &[502], &[OF_HAPI, JsonHolds("error: socket hang up")], ConnectionTerminated, Maybe, "the upstream closed the connection before the head of its response was whole", HAPI),
    row(gateway(Hapi), &[502], &[OF_HAPI, JsonHolds("ECONNRESET")], ConnectionTerminated, Maybe, "the upstream reset the connection", HAPI),
    row(gateway(Hapi), &[502], &[OF_HAPI, JsonHolds("Parse Error: Header overflow")], HttpResponseHeaderSectionSize, Maybe, "the head of the upstream's response was too large", HAPI),
    row(gateway(Hapi), &[502], &[OF_HAPI, JsonHolds("Parse Error: ")], HttpProtocolError, Maybe, "what the upstream answered is not HTTP", HAPI),
    row(gateway(Hapi), &[502], &[OF_HAPI, JsonHolds("certificate")], TlsCertificateError, Unlikely, "the upstream's certificate was not accepted", HAPI),
    row(gateway(Hapi), &[502], &[OF_HAPI, JsonHolds("wrong version number")], TlsProtocolError, Unlikely, "the TLS handshake with the upstream failed", HAPI),
    row(gateway(Hapi), &[504], &[BodyBegins("{\"statusCode\":504,\"error\":\"Gateway Time-out\",\"message\":\"Client request timeout\"}")], HttpResponseTimeout, Maybe, "the upstream took too long, to accept a connection or to respond", HAPI),
];
