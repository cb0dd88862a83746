//! The server for callers: connections, their limits, TLS and the drain.
//!
//! Serves HTTP/1.1 and HTTP/2, by ALPN over TLS and by prior knowledge without. Requests have two
//! extensions: [`ConnectionInfo`] and axum's `ConnectInfo<SocketAddr>`.
//!
//! | event | effect |
//! |---|---|
//! | No complete request head within `head_timeout` | The connection ends. |
//! | No request within `idle_timeout` | The connection ends, with GOAWAY over HTTP/2. |
//! | The caller accepts no bytes within `send_timeout` | The connection ends. |
//! | `max_connections` are open | New connections wait in the listen backlog. |
//! | Out of file descriptors | New connections wait, and one warning a minute is logged. |
//! | SIGHUP | New connections get the new certificate and limits. |
//! | Ctrl-C or SIGTERM | Idle connections end, and the others after their requests in flight. |
//! | A second signal, or `drain_timeout` | All connections end. |

mod accept;
mod accept_error;
mod activity;
mod body;
mod config;
mod connection;
mod connection_info;
mod io;
mod protocol;
mod settings;
mod signals;
mod time_limits;
mod tls;

use std::sync::Arc;

use axum::Router;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Layer;
use tracing::Level;

use self::{accept::LimitedListener, connection::ConnectionServer, signals::ShutdownSignals};
pub(crate) use self::{
    config::ServerConfig,
    connection_info::{ConnectionInfo, Scheme},
    settings::{ActiveSettings, Settings},
    signals::reload_on_sighup,
};
use crate::{forward::ValidateLayer, log};

/// Serves until Ctrl-C or SIGTERM, sends `shutdown`, and drains the requests in flight.
pub(crate) async fn serve_until_shutdown(
    listener: TcpListener,
    app: Router,
    shutdown: watch::Sender<bool>,
    settings: ActiveSettings,
) -> std::io::Result<()> {
    let mut signals = ShutdownSignals::install()?;
    let scheme = settings.scheme();
    log::print_line(&format_args!("listening on {}://{}", scheme.as_str(), listener.local_addr()?));
    let listener = LimitedListener::new(listener, settings.get().config.max_connections);
    let server = ConnectionServer {
        app: ValidateLayer.layer(app),
        builder: Arc::new(protocol::builder()),
        tasks: TaskTracker::new(),
        shutdown: CancellationToken::new(),
    };
    tokio::select! {
        () = serve(listener, &server, &settings) => {}
        () = signals.recv() => {}
    }
    log::notice(Level::INFO, &"draining");
    shutdown.send_replace(true);
    server.shutdown.cancel();
    server.tasks.close();
    let drain_timeout = settings.get().config.drain_timeout;
    tokio::select! {
        biased;
        () = server.tasks.wait() => {}
        () = signals.recv() => log::notice(Level::WARN, &"draining ended by a second signal"),
        () = tokio::time::sleep(drain_timeout) => {
            log::notice(Level::WARN, &format_args!("draining timed out after {drain_timeout:?}"));
        }
    }
    Ok(())
}

/// Serves each connection in a task of its own, so that a panic ends only that connection.
async fn serve(
    mut listener: LimitedListener,
    server: &ConnectionServer,
    settings: &ActiveSettings,
) {
    loop {
        let (stream, peer, permit) = listener.accept().await;
        server.tasks.spawn(server.clone().serve(stream, peer, settings.get(), permit));
    }
}
