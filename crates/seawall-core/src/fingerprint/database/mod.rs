//! The fingerprints of gateways: one file per product, and the order of the search.

mod akamai;
mod apache;
mod apisix;
mod aws;
mod azure;
mod caddy;
mod cloudflare;
mod configurable_http_proxy;
mod envoy;
mod express_http_proxy;
mod fallback;
mod fastify;
mod fastly;
mod google;
mod h2o;
mod hapi;
mod haproxy;
mod heroku;
mod http_proxy_middleware;
mod kong;
mod lighttpd;
mod llm_api;
mod llm_gateways;
mod mitmproxy;
mod nghttpx;
mod nginx;
mod plain_to_tls;
mod privoxy;
mod squid;
#[cfg(test)]
mod tests;
mod tinyproxy;
mod tower_http;
mod traefik;
mod traffic_server;
mod varnish;
mod vercel;

use http::StatusCode;

use super::matcher::{Matcher, PeekedResponse};
use crate::failure::{Cause, Processed, Product, Reporter};

/// The fingerprints that match response heads, in order of precedence.
static BY_HEAD: &[&[Fingerprint]] = &[
    caddy::BY_HEAD,
    squid::BY_HEAD,
    aws::BY_HEAD,
    cloudflare::BY_HEAD,
    vercel::BY_HEAD,
    express_http_proxy::BY_HEAD,
];

/// The fingerprints that match response bodies, in order of precedence.
static BY_BODY: &[&[Fingerprint]] = &[
    nginx::BY_BODY,
    haproxy::BY_BODY,
    apache::BY_BODY,
    traefik::BY_BODY,
    squid::BY_BODY,
    envoy::BY_BODY,
    aws::BY_BODY,
    cloudflare::BY_BODY,
    google::BY_BODY,
    azure::BY_BODY,
    fastly::BY_BODY,
    akamai::BY_BODY,
    heroku::BY_BODY,
    kong::BY_BODY,
    apisix::BY_BODY,
    llm_api::BY_BODY,
    llm_gateways::BY_BODY,
    plain_to_tls::BY_BODY,
    tower_http::BY_BODY,
    varnish::BY_BODY,
    lighttpd::BY_BODY,
    traffic_server::BY_BODY,
    h2o::BY_BODY,
    nghttpx::BY_BODY,
    tinyproxy::BY_BODY,
    privoxy::BY_BODY,
    mitmproxy::BY_BODY,
    http_proxy_middleware::BY_BODY,
    configurable_http_proxy::BY_BODY,
    fastify::BY_BODY,
    hapi::BY_BODY,
];

/// A response that one product generates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fingerprint {
    pub(super) reporter: Reporter,
    /// The statuses of the response. Empty for any status.
    statuses: &'static [u16],
    /// The conditions, which must all match.
    matchers: &'static [Matcher],
    /// The cause. `None` keeps the cause of the status.
    pub(super) cause: Option<Cause>,
    pub(super) processed: Processed,
    pub(super) summary: &'static str,
    pub(super) reference: Reference,
}

/// The source of a fingerprint.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reference {
    /// A recording of this product version, stored in `tests/data/`.
    Recorded(&'static str),
    /// This page, not verified with the product.
    Documented(&'static str),
}

impl Fingerprint {
    /// Returns whether all matchers match. Checks the body first, because a response may have many
    /// headers.
    fn matches(&self, response: PeekedResponse<'_>) -> bool {
        let all_match = |examines_body: bool| {
            self.matchers
                .iter()
                .filter(|matcher| matcher.examines_body() == examines_body)
                .all(|matcher| matcher.matches(response))
        };
        all_match(true) && all_match(false)
    }

    fn applies_to(&self, status: StatusCode) -> bool {
        self.statuses.is_empty() || self.statuses.contains(&status.as_u16())
    }
}

/// Finds the fingerprint that matches the head alone.
pub(super) fn find_by_head(
    status: StatusCode,
    response: PeekedResponse<'_>,
) -> Option<&'static Fingerprint> {
    BY_HEAD.iter().copied().flatten().find(|it| it.applies_to(status) && it.matches(response))
}

/// Finds the fingerprint that matches the part of the body read so far.
///
/// If the body is incomplete, an earlier fingerprint of the same reporter may still match, and then
/// the result is `None`. A page in several frames is therefore diagnosed like a page in one frame,
/// and a truncated page is not taken for another page.
pub(super) fn find_by_body(
    status: StatusCode,
    response: PeekedResponse<'_>,
) -> Option<&'static Fingerprint> {
    let candidates = || BY_BODY.iter().copied().flatten().filter(|it| it.applies_to(status));
    let (index, found) = candidates().enumerate().find(|(_, it)| it.matches(response))?;
    let is_final = response.is_complete
        || !candidates().take(index).any(|earlier| earlier.reporter == found.reporter);
    is_final.then_some(found)
}

/// Finds the fingerprint of a response that matches no product. Call it when no more of the body
/// will be read.
pub(super) fn find_fallback(
    status: StatusCode,
    response: PeekedResponse<'_>,
) -> Option<&'static Fingerprint> {
    fallback::BY_BODY.iter().find(|it| it.applies_to(status) && it.matches(response))
}

const fn gateway(product: Product) -> Reporter {
    Reporter::Gateway(product)
}

const fn fingerprint(
    reporter: Reporter,
    statuses: &'static [u16],
    matchers: &'static [Matcher],
    cause: Cause,
    processed: Processed,
    summary: &'static str,
    reference: Reference,
) -> Fingerprint {
    Fingerprint { reporter, statuses, matchers, cause: Some(cause), processed, summary, reference }
}
