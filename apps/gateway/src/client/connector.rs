//! Connects to upstreams: name lookup, TCP, the tunnel of a proxy, and TLS.

use std::{sync::Arc, time::Duration};

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use rustls::ClientConfig;
use seawall::{
    BoxError,
    hyper_util::{TrackReuse, TrackedConnection},
    timeout::TimeoutLayer,
};
use tokio::net::TcpStream;
use tower::Layer;

use super::{
    config::ConnectionConfig,
    proxy::{Proxies, ProxyConnector},
};
use crate::shared_service::SharedService;

/// The maximum timeout for the TCP handshakes with all addresses of an upstream.
const MAX_TCP_TIMEOUT: Duration = Duration::from_secs(5);

/// A stream may be idle for minutes. The probes detect within 90 s that the host is gone.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);
const TCP_KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const TCP_KEEPALIVE_RETRIES: u32 = 3;

pub(super) type Connector =
    SharedService<Uri, TrackedConnection<MaybeHttpsStream<TokioIo<TcpStream>>>, BoxError>;

/// Returns a connector that offers no protocol by ALPN, which means HTTP/1.1.
pub(super) fn http1(
    config: &ConnectionConfig,
    tls: ClientConfig,
    proxies: &Arc<Proxies>,
) -> Connector {
    let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    with_timeout(config, https.enable_http1().wrap_connector(tcp(config, proxies)))
}

/// Returns a connector that offers HTTP/2 and HTTP/1.1 by ALPN.
pub(super) fn http2(
    config: &ConnectionConfig,
    tls: ClientConfig,
    proxies: &Arc<Proxies>,
) -> Connector {
    let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    with_timeout(config, https.enable_all_versions().wrap_connector(tcp(config, proxies)))
}

fn tcp(config: &ConnectionConfig, proxies: &Arc<Proxies>) -> ProxyConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(config.connect_timeout.min(MAX_TCP_TIMEOUT)));
    tcp.set_keepalive(Some(TCP_KEEPALIVE));
    tcp.set_keepalive_interval(Some(TCP_KEEPALIVE_INTERVAL));
    tcp.set_keepalive_retries(Some(TCP_KEEPALIVE_RETRIES));
    ProxyConnector::new(tcp, Arc::clone(proxies))
}

fn with_timeout(config: &ConnectionConfig, https: HttpsConnector<ProxyConnector>) -> Connector {
    let timeout = TimeoutLayer::new(config.connect_timeout);
    SharedService::new(timeout.layer(TrackReuse::new(https)))
}
