//! Proxies that one runs oneself, by the pages they write.

use super::{Fingerprint, Source, gateway};
use crate::{
    bad_gateway::matcher::Matcher::{Begins, BodyBegins, BodyHolds, Is, Only},
    failure::{
        Cause::{
            BadGateway, DestinationUnavailable, DnsError, HttpResponseTimeout, Overloaded,
            RateLimited, TlsProtocolError,
        },
        Processed::{Maybe, Unlikely},
        Product::{Apache, Caddy, HaProxy, Nginx, Squid, Traefik},
    },
};

const NGINX: Source = Source::Recorded("nginx 1.22.1");
const HAPROXY: Source = Source::Recorded("HAProxy 2.6.12");
const APACHE: Source = Source::Recorded("Apache httpd 2.4.71");
const CADDY: Source = Source::Recorded("Caddy 2.6.2");

pub(super) static BY_HEAD: &[Fingerprint] = &[
    // Nothing but what Caddy writes itself. What it relays has its `Server` too; an origin's empty answer of no type at all
    // cannot be told from it.
    Fingerprint {
        reporter: gateway(Caddy),
        statuses: &[504],
        matchers: CADDY_DEFAULT_HEADERS,
        cause: Some(HttpResponseTimeout),
        processed: Maybe,
        note: "Caddy sent the request and no head of a response came within `response_header_timeout`",
        source: CADDY,
    },
    Fingerprint {
        reporter: gateway(Caddy),
        statuses: &[502],
        matchers: CADDY_DEFAULT_HEADERS,
        cause: Some(BadGateway),
        processed: Maybe,
        note: "Caddy got no valid response, for whatever reason: connect, name, TLS, closed, broken; its log says which",
        source: CADDY,
    },
    Fingerprint {
        reporter: gateway(Caddy),
        statuses: &[503],
        matchers: CADDY_DEFAULT_HEADERS,
        cause: Some(DestinationUnavailable),
        processed: Maybe,
        note: "Caddy has no upstream that is healthy and below its request limit; or what is behind it answered with nothing",
        source: Source::Documented(
            "https://caddyserver.com/docs/caddyfile/directives/reverse_proxy",
        ),
    },
];

pub(super) static BY_BODY: &[Fingerprint] = &[
    // The footer, since `Server: nginx` stands on all that nginx relays as well.
    Fingerprint {
        reporter: gateway(Nginx),
        statuses: &[502],
        matchers: &[
            BodyHolds("<center><h1>502 Bad Gateway</h1></center>"),
            BodyHolds("<hr><center>nginx"),
        ],
        cause: Some(BadGateway),
        processed: Maybe,
        note: "nginx got no valid response: the connection was refused or closed, the name or TLS failed, or the response's head was broken or too large; its error log says which",
        source: NGINX,
    },
    Fingerprint {
        reporter: gateway(Nginx),
        statuses: &[504],
        matchers: &[
            BodyHolds("<center><h1>504 Gateway Time-out</h1></center>"),
            BodyHolds("<hr><center>nginx"),
        ],
        cause: Some(HttpResponseTimeout),
        processed: Maybe,
        note: "nginx waited too long, for a response or already for a connection: it answers the same to both",
        source: NGINX,
    },
    // ingress-nginx answers the same when a service has no endpoints, so it is not always a rate limit.
    Fingerprint {
        reporter: gateway(Nginx),
        statuses: &[503],
        matchers: &[
            BodyHolds("<center><h1>503 Service Temporarily Unavailable</h1></center>"),
            BodyHolds("<hr><center>nginx"),
        ],
        cause: Some(Overloaded),
        processed: Maybe,
        note: "nginx made this answer itself: limit_req or limit_conn, a `return 503`, an error page in place of the origin's, or in ingress-nginx a service without endpoints",
        source: NGINX,
    },
    Fingerprint {
        reporter: gateway(Nginx),
        statuses: &[429],
        matchers: &[
            BodyHolds("<center><h1>429 Too Many Requests</h1></center>"),
            BodyHolds("<hr><center>nginx"),
        ],
        cause: Some(RateLimited),
        processed: Unlikely,
        note: "nginx made this answer itself: limit_req or limit_conn with that status",
        source: Source::Documented("https://nginx.org/en/docs/http/ngx_http_limit_req_module.html"),
    },
    // The text alone: Debian's error files send it as HTTP/1.0, with other headers. With `retry-on` what was sent once and
    // then refused ends in the same page.
    Fingerprint {
        reporter: gateway(HaProxy),
        statuses: &[503],
        matchers: &[BodyBegins(
            "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n",
        )],
        cause: Some(DestinationUnavailable),
        processed: Maybe,
        note: "HAProxy reached no server, at least the last time that it tried: refused, no answer to a connect, TLS, a name, a health check or a full queue; the two letters in its log say which",
        source: HAPROXY,
    },
    Fingerprint {
        reporter: gateway(HaProxy),
        statuses: &[502],
        matchers: &[BodyBegins(
            "<html><body><h1>502 Bad Gateway</h1>\nThe server returned an invalid or incomplete response.\n",
        )],
        cause: Some(BadGateway),
        processed: Maybe,
        note: "HAProxy sent the request and got no valid head of a response: closed, reset, broken or too large",
        source: HAPROXY,
    },
    Fingerprint {
        reporter: gateway(HaProxy),
        statuses: &[504],
        matchers: &[BodyBegins(
            "<html><body><h1>504 Gateway Time-out</h1>\nThe server didn't respond in time.\n",
        )],
        cause: Some(HttpResponseTimeout),
        processed: Maybe,
        note: "HAProxy sent the request and no response came within `timeout server`",
        source: HAPROXY,
    },
    Fingerprint {
        reporter: gateway(HaProxy),
        statuses: &[429],
        matchers: &[BodyBegins(
            "<html><body><h1>429 Too Many Requests</h1>\nYou have sent too many requests in a given amount of time.\n",
        )],
        cause: Some(RateLimited),
        processed: Unlikely,
        note: "HAProxy made this answer itself, by a `deny` rule",
        source: HAPROXY,
    },
    Fingerprint {
        reporter: gateway(Apache),
        statuses: &[500],
        matchers: &[BodyHolds("<p>Reason: <strong>DNS lookup failure for: ")],
        cause: Some(DnsError),
        processed: Unlikely,
        note: "Apache could not resolve the upstream's name",
        source: APACHE,
    },
    Fingerprint {
        reporter: gateway(Apache),
        statuses: &[500],
        matchers: &[BodyHolds(
            "<p>Reason: <strong>Error during SSL Handshake with remote server</strong></p>",
        )],
        cause: Some(TlsProtocolError),
        processed: Unlikely,
        note: "Apache's TLS handshake with the upstream failed, or its certificate was not accepted",
        source: APACHE,
    },
    Fingerprint {
        reporter: gateway(Apache),
        statuses: &[502],
        matchers: &[BodyHolds("<p>Reason: <strong>Error reading from remote server</strong></p>")],
        cause: Some(BadGateway),
        processed: Maybe,
        note: "Apache sent the request, and the upstream closed the connection, or was silent for longer than ProxyTimeout",
        source: APACHE,
    },
    Fingerprint {
        reporter: gateway(Apache),
        statuses: &[502],
        matchers: &[BodyHolds(
            "<p>The proxy server received an invalid\r\nresponse from an upstream server.<br />",
        )],
        cause: Some(BadGateway),
        processed: Maybe,
        note: "Apache got a response whose head was broken off or too large",
        source: APACHE,
    },
    Fingerprint {
        reporter: gateway(Apache),
        statuses: &[503],
        matchers: &[BodyHolds(
            "<p>The server is temporarily unable to service your\nrequest due to maintenance downtime or capacity\nproblems. Please try again later.</p>",
        )],
        cause: Some(DestinationUnavailable),
        processed: Maybe,
        note: "Apache got no response: refused, no answer to a connect, all upstreams in error, no free connection, or a FastCGI server that died; any Apache in maintenance answers the same",
        source: APACHE,
    },
    Fingerprint {
        reporter: gateway(Traefik),
        statuses: &[503],
        matchers: &[BodyBegins("no available server"), Begins("content-type", "text/plain")],
        cause: Some(DestinationUnavailable),
        processed: Unlikely,
        note: "Traefik has no healthy server for this service",
        source: Source::Documented("https://doc.traefik.io/traefik/routing/services/"),
    },
    Fingerprint {
        reporter: gateway(Squid),
        statuses: &[502, 503, 504],
        matchers: &[BodyHolds("<body id=ERR_"), BodyHolds("squid")],
        cause: None,
        processed: Maybe,
        note: "Squid's own page; which error it was says the header X-Squid-Error, which has been taken away",
        source: Source::Documented("https://wiki.squid-cache.org/SquidFaq/OperatingSquid"),
    },
];

const CADDY_DEFAULT_HEADERS: &[super::Matcher] = &[
    Is("server", "Caddy"),
    Is("content-length", "0"),
    Only(&["server", "content-length", "date", "connection", "alt-svc"]),
];
