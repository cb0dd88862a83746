//! The HTTP clients, which all upstreams share.

mod config;
mod connector;
mod framing;
mod http_client;
mod proxy;
mod setup_error;
mod trust;
mod upstream_client;

use std::sync::Arc;

use http::Uri;

pub(crate) use self::{
    config::ConnectionConfig, setup_error::SetupError, upstream_client::UpstreamClient,
};
use self::{http_client::HttpClient, proxy::Proxies};

/// One client for each way to choose the protocol version.
///
/// # Clone
///
/// Clones share the connection pools.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    http1: HttpClient,
    http2_by_alpn: HttpClient,
    http2_by_prior_knowledge: HttpClient,
    proxies: Arc<Proxies>,
}

/// Creates the clients.
///
/// # Errors
/// Returns an error if `SSL_CERT_FILE` or `SSL_CERT_DIR` is set and contains no certificate.
pub(crate) fn build(config: &ConnectionConfig) -> Result<Clients, SetupError> {
    let proxies = Arc::new(Proxies::from_env(config.ignore_proxy_variables));
    let tls = trust::client_config(config.ca_file.as_ref())?;
    let http1 = connector::http1(config, tls.clone(), &proxies);
    let http2 = connector::http2(config, tls, &proxies);
    Ok(Clients {
        http2_by_prior_knowledge: http_client::http2_only(config, http1.clone()),
        http1: http_client::http1(config, http1),
        http2_by_alpn: http_client::http2(config, http2),
        proxies,
    })
}

impl Clients {
    /// Returns the client for requests to `url`.
    ///
    /// Without `http2`, and for upgrades, it uses HTTP/1.1. With `http2`, it uses HTTP/2: for `https` if the server
    /// selects it by ALPN, and for `http` by prior knowledge (RFC 9113, section 3.3).
    ///
    /// # Errors
    /// Returns an error if a proxy variable applies to `url` in a way that is not supported.
    pub(crate) fn for_upstream(
        &self,
        url: &Uri,
        http2: bool,
    ) -> Result<UpstreamClient, SetupError> {
        self.proxies.check(url)?;
        let client = match (http2, url.scheme_str()) {
            (false, _) => &self.http1,
            (true, Some("https")) => &self.http2_by_alpn,
            (true, _) => &self.http2_by_prior_knowledge,
        };
        let upgrades = http2.then(|| self.http1.clone());
        Ok(UpstreamClient { client: client.clone(), upgrades })
    }
}
