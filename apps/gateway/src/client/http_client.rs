//! The pooled clients.

use std::time::Duration;

use axum::body::Body;
use hyper_util::{
    client::legacy::{Builder, Client},
    rt::{TokioExecutor, TokioTimer},
};
use seawall::{hyper_util::PoisonOnTimeout, retry::ReplayBody};
use tower::util::Either;

use super::{config::ConnectionConfig, connector::Connector, framing::CheckFraming};

pub(crate) type HttpClient = CheckFraming<Either<PooledClient, PoisonOnTimeout<PooledClient>>>;

type PooledClient = Client<Connector, ReplayBody<Body>>;

/// The maximum number of bytes that a response may be ahead of its caller.
const HTTP2_STREAM_WINDOW: u32 = 512 << 10;

/// The same for all responses of one connection.
///
/// A caller that does not read keeps the window of its stream. 128 of them leave nothing for
/// other callers. With hyper's default, three do.
const HTTP2_CONNECTION_WINDOW: u32 = 64 << 20;

/// The maximum time to wait for the response to a ping.
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(20);

pub(super) fn http1(config: &ConnectionConfig, connector: Connector) -> HttpClient {
    CheckFraming::new(Either::Left(builder(config).build(connector)))
}

/// Returns a client for HTTP/2, or HTTP/1.1 if the server does not select HTTP/2 by ALPN.
pub(super) fn http2(config: &ConnectionConfig, connector: Connector) -> HttpClient {
    http2_client(builder(config), config, connector)
}

/// Returns a client for HTTP/2 without negotiation.
pub(super) fn http2_only(config: &ConnectionConfig, connector: Connector) -> HttpClient {
    let mut builder = builder(config);
    builder.http2_only(true);
    http2_client(builder, config, connector)
}

fn http2_client(
    mut builder: Builder,
    config: &ConnectionConfig,
    connector: Connector,
) -> HttpClient {
    builder
        .http2_initial_stream_window_size(HTTP2_STREAM_WINDOW)
        .http2_initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
        .http2_keep_alive_interval(config.http2_ping_interval)
        .http2_keep_alive_timeout(HTTP2_PING_TIMEOUT.min(config.http2_ping_interval));
    CheckFraming::new(Either::Right(PoisonOnTimeout::new(builder.build(connector))))
}

fn builder(config: &ConnectionConfig) -> Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        // Without this timer, the client never closes idle connections.
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(config.idle_timeout)
        .pool_max_idle_per_host(config.max_idle_per_host);
    builder
}
