//! Cloudflare.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::{
            BadGateway, ConnectionRefused, ConnectionTerminated, ConnectionTimeout,
            DestinationIpUnroutable, DnsError, GatewayTimeout, HttpResponseTimeout, RateLimited,
            TlsCertificateError, TlsProtocolError,
        },
        Processed::{Maybe, Unlikely},
        Product::Cloudflare,
    },
    fingerprint::matcher::Matcher::{self, BodyContains, HeaderPresent},
};

const CLOUDFLARE: Reference = Reference::Documented(
    "https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/",
);
const CLOUDFLARE_1XXX: Reference = Reference::Documented(
    "https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-1xxx-errors/",
);

// Every response through Cloudflare has this header. Only Cloudflare uses these statuses.
const CF_RAY: &[Matcher] = &[HeaderPresent("cf-ray")];

#[rustfmt::skip]
pub(super) static BY_HEAD: &[Fingerprint] = &[
    fingerprint(gateway(Cloudflare), &[520], CF_RAY, BadGateway, Maybe, "the origin's response was empty, malformed or too large for Cloudflare", CLOUDFLARE),
    fingerprint(gateway(Cloudflare), &[521], CF_RAY, ConnectionRefused, Unlikely, "the origin refused Cloudflare's connection", CLOUDFLARE),
    // Cloudflare also returns 522 if the origin does not acknowledge the request in time.
    fingerprint(gateway(Cloudflare), &[522], CF_RAY, ConnectionTimeout, Maybe, "Cloudflare's connection to the origin timed out", CLOUDFLARE),
    fingerprint(gateway(Cloudflare), &[523], CF_RAY, DestinationIpUnroutable, Unlikely, "Cloudflare found no route to the origin", CLOUDFLARE),
    fingerprint(gateway(Cloudflare), &[524], CF_RAY, HttpResponseTimeout, Maybe, "Cloudflare sent the request, and the origin did not respond before the timeout", CLOUDFLARE),
    fingerprint(gateway(Cloudflare), &[525], CF_RAY, TlsProtocolError, Unlikely, "Cloudflare's TLS handshake with the origin failed", CLOUDFLARE),
    fingerprint(gateway(Cloudflare), &[526], CF_RAY, TlsCertificateError, Unlikely, "Cloudflare did not accept the origin's certificate", CLOUDFLARE),
    fingerprint(gateway(Cloudflare), &[527], CF_RAY, ConnectionTerminated, Maybe, "the connection between Cloudflare and the origin's Railgun failed", CLOUDFLARE),
];

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(Cloudflare), &[530], &[HeaderPresent("cf-ray"), BodyContains("error code: 1016")], DnsError, Unlikely, "Cloudflare could not resolve the origin's name", CLOUDFLARE_1XXX),
    fingerprint(gateway(Cloudflare), &[502, 503], &[HeaderPresent("cf-ray"), BodyContains("<hr><center>cloudflare")], BadGateway, Maybe, "Cloudflare or its connection to the origin failed", CLOUDFLARE),
    fingerprint(gateway(Cloudflare), &[502], &[HeaderPresent("cf-ray"), BodyContains("id=\"cf-wrapper\"")], BadGateway, Maybe, "Cloudflare or its connection to the origin failed", CLOUDFLARE),
    fingerprint(gateway(Cloudflare), &[504], &[HeaderPresent("cf-ray"), BodyContains("<hr><center>cloudflare")], GatewayTimeout, Maybe, "the origin did not respond before Cloudflare's timeout", CLOUDFLARE),
    fingerprint(gateway(Cloudflare), &[504], &[HeaderPresent("cf-ray"), BodyContains("id=\"cf-wrapper\"")], GatewayTimeout, Maybe, "the origin did not respond before Cloudflare's timeout", CLOUDFLARE),
    fingerprint(gateway(Cloudflare), &[429], &[HeaderPresent("cf-ray"), BodyContains("error code: 1015")], RateLimited, Unlikely, "a rate limiting rule of Cloudflare rejected the request", CLOUDFLARE_1XXX),
];
