//! @fastify/http-proxy, a Node.js library.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::{
            ConnectionRefused, ConnectionTerminated, ConnectionTimeout, DestinationUnavailable,
            HttpProtocolError, HttpResponseHeaderSectionSize, HttpResponseTimeout,
            TlsProtocolError,
        },
        Processed::Maybe,
        Product::Fastify,
    },
    fingerprint::matcher::Matcher::{self, BodyPrefix, JsonContains},
};

const FASTIFY: Reference = Reference::Recorded("@fastify/http-proxy 11.6.3");

const STATUS_CODE_FIRST: Matcher = BodyPrefix("{\"statusCode\":");

const INTERNAL_SERVER_ERROR: Matcher =
    JsonContains("\"code\":\"FST_REPLY_FROM_INTERNAL_SERVER_ERROR\"");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    // Fastify resends a GET up to ten times after a 503, and reports only the last attempt.
    fingerprint(gateway(Fastify), &[500], &[STATUS_CODE_FIRST, INTERNAL_SERVER_ERROR, JsonContains("\"connect ECONNREFUSED ")], ConnectionRefused, Maybe, "the upstream refused the connection", FASTIFY),
    fingerprint(gateway(Fastify), &[500], &[STATUS_CODE_FIRST, INTERNAL_SERVER_ERROR, JsonContains("Response does not match the HTTP/1.1 protocol")], HttpProtocolError, Maybe, "the upstream's response was not HTTP", FASTIFY),
    fingerprint(gateway(Fastify), &[500], &[STATUS_CODE_FIRST, INTERNAL_SERVER_ERROR, JsonContains("\"Headers Overflow Error\"")], HttpResponseHeaderSectionSize, Maybe, "the headers of the upstream's response were too large", FASTIFY),
    fingerprint(gateway(Fastify), &[500], &[STATUS_CODE_FIRST, INTERNAL_SERVER_ERROR, JsonContains(":SSL routines:")], TlsProtocolError, Maybe, "the TLS handshake with the upstream failed", FASTIFY),
    fingerprint(gateway(Fastify), &[500], &[STATUS_CODE_FIRST, JsonContains("\"code\":\"UND_ERR_SOCKET\""), JsonContains("\"message\":\"Undici Socket Error\"")], ConnectionTerminated, Maybe, "the upstream closed the connection before the response headers were complete", FASTIFY),
    fingerprint(gateway(Fastify), &[500], &[STATUS_CODE_FIRST, JsonContains("\"code\":\"ECONNRESET\""), JsonContains("\"message\":\"Connection Reset\"")], ConnectionTerminated, Maybe, "the upstream reset the connection", FASTIFY),
    fingerprint(gateway(Fastify), &[504], &[STATUS_CODE_FIRST, JsonContains("\"code\":\"UND_ERR_CONNECT_TIMEOUT\"")], ConnectionTimeout, Maybe, "the connection to the upstream timed out", FASTIFY),
    fingerprint(gateway(Fastify), &[504], &[STATUS_CODE_FIRST, JsonContains("\"code\":\"FST_REPLY_FROM_GATEWAY_TIMEOUT\"")], HttpResponseTimeout, Maybe, "the upstream did not respond before the timeout", FASTIFY),
    fingerprint(gateway(Fastify), &[503], &[STATUS_CODE_FIRST, JsonContains("\"code\":\"FST_REPLY_FROM_SERVICE_UNAVAILABLE\"")], DestinationUnavailable, Maybe, "the upstream's name did not resolve, or the upstream cancelled the stream", FASTIFY),
];
