//! http-proxy-middleware, a Node.js library.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{
        Cause::{BadGateway, HttpProtocolError},
        Processed::Maybe,
        Product::HttpProxyMiddleware,
    },
    fingerprint::matcher::Matcher::BodyPrefix,
};

const HTTP_PROXY_MIDDLEWARE: Reference = Reference::Recorded("http-proxy-middleware 3.0.11");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(HttpProxyMiddleware), &[504], &[BodyPrefix("Error occurred while trying to proxy: ")], BadGateway, Maybe, "http-proxy-middleware got no response: refused, closed, reset, too late or no such name, to all of which it answers 504", HTTP_PROXY_MIDDLEWARE),
    fingerprint(gateway(HttpProxyMiddleware), &[502], &[BodyPrefix("Error occurred while trying to proxy: ")], HttpProtocolError, Maybe, "what the upstream answered http-proxy-middleware is not HTTP", HTTP_PROXY_MIDDLEWARE),
    fingerprint(gateway(HttpProxyMiddleware), &[500], &[BodyPrefix("Error occurred while trying to proxy: ")], BadGateway, Maybe, "http-proxy-middleware got no valid response: TLS failed, or the head was too large", HTTP_PROXY_MIDDLEWARE),
];
