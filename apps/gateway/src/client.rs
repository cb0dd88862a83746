//! The HTTP client, which all upstreams share.

use std::time::Duration;

use axum::body::Body;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use seawall::{hyper_util::TrackReuse, retry::ReplayBody};

/// The connect timeout for one address of an upstream.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The maximum number of idle connections per host. Each is kept for 90 s.
const MAX_IDLE_CONNECTIONS: usize = 256;

const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

pub(crate) type HttpClient = Client<TrackReuse<HttpsConnector<HttpConnector>>, ReplayBody<Body>>;

pub(crate) fn build() -> HttpClient {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(CONNECT_TIMEOUT));
    // A stream may be idle for minutes. Keep-alive probes detect that the host is gone.
    http.set_keepalive(Some(TCP_KEEPALIVE));
    let connector = HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_max_idle_per_host(MAX_IDLE_CONNECTIONS);
    builder.build(TrackReuse::new(connector))
}
