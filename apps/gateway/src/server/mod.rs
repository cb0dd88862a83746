//! The server for callers: connections, their limits, TLS and the drain.
//!
//! Serves HTTP/1.1 and HTTP/2, by ALPN over TLS and by prior knowledge without. Each request has a
//! [`ConnectionInfo`] in its extensions.
//!
//! | event | effect |
//! |---|---|
//! | No complete request head within `head_timeout` | The connection ends. |
//! | No request within `idle_timeout` | The connection ends, with GOAWAY over HTTP/2. |
//! | The caller accepts no bytes within `send_timeout` | The connection ends. |
//! | `max_connections` are open | New connections wait in the listen backlog. |
//! | Out of file descriptors | New connections wait, and one warning a minute is logged. |
//! | SIGHUP | New connections get the new certificate and limits. |
//! | Ctrl-C or SIGTERM | For `shutdown_delay`, the server is not ready, but still accepts connections. |
//! | `shutdown_delay` has passed | Idle connections end, and the others after their requests in flight. |
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
mod status;
mod time_limits;
mod tls;

use std::sync::Arc;

use tokio::{net::TcpListener, sync::watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Layer;
use tracing::Level;

use self::{accept::LimitedListener, connection::ConnectionServer, signals::ShutdownSignals};
pub(crate) use self::{
    config::ServerConfig,
    connection_info::{ConnectionInfo, Peer, Scheme},
    settings::{ActiveSettings, Settings},
    signals::reload_on_sighup,
    status::ServerStatus,
};
use crate::{
    app::App,
    forward::{Validate, ValidateLayer},
    log,
};

/// Serves until Ctrl-C or SIGTERM and for the shutdown delay, sends `shutdown`, and drains the
/// requests in flight.
pub(crate) async fn serve_until_shutdown(
    listener: TcpListener,
    app: App,
    shutdown: watch::Sender<bool>,
    settings: ActiveSettings,
    status: ServerStatus,
) -> std::io::Result<()> {
    let mut signals = ShutdownSignals::install()?;
    let (tasks, max_connections) = (TaskTracker::new(), settings.get().config.max_connections);
    status.start(tasks.clone(), max_connections);
    let scheme = settings.scheme();
    log::print_line(&format_args!("listening on {}://{}", scheme.as_str(), listener.local_addr()?));
    let mut listener = LimitedListener::new(listener, max_connections);
    let server = ConnectionServer {
        app: ValidateLayer.layer(app),
        builder: Arc::new(protocol::builder()),
        tasks,
        shutdown: CancellationToken::new(),
    };
    tokio::select! {
        () = serve(&mut listener, &server, &settings) => {}
        () = signals.recv() => {}
    }
    status.stop();
    let shutdown_delay = settings.get().config.shutdown_delay;
    if !shutdown_delay.is_zero() {
        let line = format!("not ready; accepting connections for {shutdown_delay:?}");
        log::notice(Level::INFO, &line);
        tokio::select! {
            () = serve(&mut listener, &server, &settings) => {}
            () = tokio::time::sleep(shutdown_delay) => {}
            () = signals.recv() => {
                log::notice(Level::WARN, &"shutdown delay ended by a second signal");
                return Ok(());
            }
        }
    }
    drop(listener);
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
    listener: &mut LimitedListener,
    server: &ConnectionServer<Validate<App>>,
    settings: &ActiveSettings,
) {
    loop {
        let (stream, peer, permit) = listener.accept().await;
        server.tasks.spawn(server.clone().serve(stream, peer, settings.get(), permit));
    }
}
