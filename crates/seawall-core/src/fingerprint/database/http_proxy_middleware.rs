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
    fingerprint(gateway(HttpProxyMiddleware), &[504], &[BodyPrefix("Error occurred while trying to proxy: ")], BadGateway, Maybe, "http-proxy-middleware received no response (connection refused, closed or reset, timeout, or unknown name); it returns 504 for all of them", HTTP_PROXY_MIDDLEWARE),
    fingerprint(gateway(HttpProxyMiddleware), &[502], &[BodyPrefix("Error occurred while trying to proxy: ")], HttpProtocolError, Maybe, "the upstream's response to http-proxy-middleware was not HTTP", HTTP_PROXY_MIDDLEWARE),
    fingerprint(gateway(HttpProxyMiddleware), &[500], &[BodyPrefix("Error occurred while trying to proxy: ")], BadGateway, Maybe, "http-proxy-middleware received no valid response: TLS failed, or the response headers were too large", HTTP_PROXY_MIDDLEWARE),
];
