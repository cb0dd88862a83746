//! The fingerprints of gateways: one file for each product, and the order in which they are searched.

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
mod mitmproxy;
mod nghttpx;
mod nginx;
mod privoxy;
mod squid;
#[cfg(test)]
mod tests;
mod tinyproxy;
mod traefik;
mod traffic_server;
mod varnish;
mod vercel;

use http::StatusCode;

use super::matcher::{Matcher, PeekedResponse};
use crate::failure::{Cause, Processed, Product, Reporter};

/// The fingerprints of heads, in order of precedence.
static BY_HEAD: &[&[Fingerprint]] = &[
    caddy::BY_HEAD,
    squid::BY_HEAD,
    aws::BY_HEAD,
    cloudflare::BY_HEAD,
    vercel::BY_HEAD,
    express_http_proxy::BY_HEAD,
];

/// The fingerprints of bodies, in order of precedence.
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

/// One response of one product.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fingerprint {
    pub(super) reporter: Reporter,
    /// Empty for any status of failure.
    statuses: &'static [u16],
    /// All of them must match.
    matchers: &'static [Matcher],
    /// `None` for the cause of the status.
    pub(super) cause: Option<Cause>,
    pub(super) processed: Processed,
    pub(super) summary: &'static str,
    pub(super) reference: Reference,
}

/// The origin of a fingerprint.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reference {
    /// Recorded from this version of the product; `tests/data/` contains the recording.
    Recorded(&'static str),
    /// Described on this page, and not verified.
    Documented(&'static str),
}

impl Fingerprint {
    /// Returns whether all matchers match. The body comes first, since there may be many headers.
    fn matches(&self, response: PeekedResponse<'_>) -> bool {
        let all = |of_body: bool| {
            let matchers = self.matchers.iter().filter(|matcher| matcher.is_of_body() == of_body);
            { matchers }.all(|matcher| matcher.matches(response))
        };
        all(true) && all(false)
    }

    fn applies_to(&self, status: StatusCode) -> bool {
        self.statuses.is_empty() || self.statuses.contains(&status.as_u16())
    }
}

/// Finds the fingerprint that the head alone matches.
pub(super) fn find_by_head(
    status: StatusCode,
    response: PeekedResponse<'_>,
) -> Option<&'static Fingerprint> {
    let candidates = BY_HEAD.iter().copied().flatten().filter(|it| it.applies_to(status));
    { candidates }.find(|fingerprint| fingerprint.matches(response))
}

/// Finds the fingerprint that the part of the body read so far matches.
///
/// Unless the body is complete, a fingerprint is returned only if no earlier one of the same reporter may still match. So a
/// page in several frames is diagnosed like a page in one, and a truncated page is not diagnosed as another.
pub(super) fn find_by_body(
    status: StatusCode,
    response: PeekedResponse<'_>,
) -> Option<&'static Fingerprint> {
    let candidates = || BY_BODY.iter().copied().flatten().filter(|it| it.applies_to(status));
    let (at, found) = candidates().enumerate().find(|(_, it)| it.matches(response))?;
    let is_final = response.is_complete
        || !candidates().take(at).any(|earlier| earlier.reporter == found.reporter);
    is_final.then_some(found)
}

/// Finds the fingerprint of a response that matches no product, once no more of its body will be read.
pub(super) fn find_fallback(
    status: StatusCode,
    response: PeekedResponse<'_>,
) -> Option<&'static Fingerprint> {
    let candidates = fallback::BY_BODY.iter().filter(|it| it.applies_to(status));
    { candidates }.find(|fingerprint| fingerprint.matches(response))
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
