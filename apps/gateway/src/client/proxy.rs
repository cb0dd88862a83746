//! The proxies of `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`.

use std::{
    env, fmt,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::Uri;
use hyper_util::{
    client::{
        legacy::connect::{HttpConnector, proxy::Tunnel},
        proxy::matcher::{Intercept, Matcher},
    },
    rt::TokioIo,
};
use seawall::BoxError;
use tokio::net::TcpStream;
use tower::Service;

use super::setup_error::SetupError;

/// The proxies that the environment names, as curl reads it: for `https` through a tunnel.
///
/// Requests to `localhost` and loopback addresses are never sent to a proxy, as in Go.
pub(super) struct Proxies {
    for_plain: Option<&'static str>,
    for_https: Option<&'static str>,
    /// Applies to everything that `NO_PROXY` does not cover.
    all: Matcher,
    https: Matcher,
}

impl Proxies {
    pub(super) fn from_env(ignore: bool) -> Self {
        let first = |names: [&'static str; 4]| {
            let is_set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
            names.into_iter().find(is_set).filter(|_| !ignore)
        };
        let for_plain = first(["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]);
        let for_https = first(["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]);
        let value = |name| env::var(name).unwrap_or_default();
        let no_proxy = ["NO_PROXY", "no_proxy"].map(value).into_iter().find(|no| !no.is_empty());
        let no_proxy = no_proxy.unwrap_or_default();
        Self {
            for_plain,
            for_https,
            all: Matcher::builder().all("http://any").no(no_proxy.as_str()).build(),
            https: Matcher::builder().https(for_https.map(value).unwrap_or_default()).build(),
        }
    }

    /// Checks that requests to `url` can be sent as the environment demands.
    ///
    /// # Errors
    /// Returns an error for `http` upstreams, and for proxies of other schemes than `http`.
    pub(super) fn check(&self, url: &Uri) -> Result<(), SetupError> {
        let Some(variable) = self.variable(url) else { return Ok(()) };
        if self.tunnel(url).is_some() {
            return Ok(());
        }
        let host = url.host().unwrap_or_default();
        Err(SetupError(format!(
            "{variable}: expected an http:// proxy and an https:// upstream: add {host} to \
             NO_PROXY, or set ignore_proxy_variables in [connections]"
        )))
    }

    /// Returns the variable that names the proxy for `url`.
    fn variable(&self, url: &Uri) -> Option<&'static str> {
        let is_https = url.scheme_str() == Some("https");
        let variable = if is_https { self.for_https } else { self.for_plain };
        variable.filter(|_| !is_loopback(url) && self.all.intercept(url).is_some())
    }

    fn tunnel(&self, url: &Uri) -> Option<Intercept> {
        let is_http = |proxy: &Intercept| proxy.uri().scheme_str() == Some("http");
        self.variable(url).and_then(|_| self.https.intercept(url)).filter(is_http)
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies").finish_non_exhaustive()
    }
}

fn is_loopback(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Connects directly, or through a proxy's tunnel.
#[derive(Clone, Debug)]
pub(super) struct ProxyConnector {
    tcp: HttpConnector,
    proxies: Arc<Proxies>,
}

impl ProxyConnector {
    pub(super) const fn new(tcp: HttpConnector, proxies: Arc<Proxies>) -> Self {
        Self { tcp, proxies }
    }
}

impl Service<Uri> for ProxyConnector {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let Some(proxy) = self.proxies.tunnel(&url) else {
            let connecting = self.tcp.call(url);
            return Box::pin(async { Ok(connecting.await?) });
        };
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.tcp.clone());
        if let Some(credentials) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(credentials.clone());
        }
        let connecting = tunnel.call(url);
        Box::pin(async { Ok(connecting.await?) })
    }
}
