//! Servers that name the mistake of a request without TLS on a port of TLS.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::HttpProtocolError,
        Processed::Unlikely,
        Product::{Apache, Nginx},
        Reporter,
    },
    fingerprint::matcher::Matcher::{BodyContains, BodyPrefix},
};

const NGINX: Reference =
    Reference::Documented("https://nginx.org/en/docs/http/ngx_http_ssl_module.html#errors");
const APACHE: Reference = Reference::Documented(
    "https://github.com/apache/httpd/blob/2.4.62/modules/ssl/ssl_engine_kernel.c",
);
const GO: Reference =
    Reference::Documented("https://github.com/golang/go/blob/go1.23.0/src/net/http/server.go");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(Nginx), &[400], &[BodyContains("The plain HTTP request was sent to HTTPS port")], HttpProtocolError, Unlikely, "nginx speaks TLS on this port, and the request was sent without", NGINX),
    fingerprint(gateway(Apache), &[400], &[BodyContains("speaking plain HTTP to an SSL-enabled server port")], HttpProtocolError, Unlikely, "Apache speaks TLS on this port, and the request was sent without", APACHE),
    fingerprint(Reporter::Unknown, &[400], &[BodyPrefix("Client sent an HTTP request to an HTTPS server.")], HttpProtocolError, Unlikely, "a server in Go speaks TLS on this port, and the request was sent without", GO),
];
