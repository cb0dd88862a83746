//! Serves until a shutdown signal, and reloads on SIGHUP.

use std::{io, net::SocketAddr, time::Duration};

use axum::{Router, serve::ListenerExt};
use tokio::{net::TcpListener, signal, sync::watch};

use crate::{forward, llm};

/// The maximum time for requests in flight to complete after the shutdown signal.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves until Ctrl-C or SIGTERM, sends `shutdown`, and drains the requests in flight.
pub(crate) async fn serve_until_shutdown(
    listener: TcpListener,
    app: Router,
    shutdown: watch::Sender<bool>,
) -> io::Result<()> {
    println!("listening on http://{}", listener.local_addr()?);
    // Nagle's algorithm would delay each server-sent event.
    let listener = listener.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    let mut on_shutdown = shutdown.subscribe();
    let app = app.layer(forward::ValidateLayer);
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        shutdown_signal().await;
        eprintln!("draining");
        shutdown.send_replace(true);
    });
    tokio::select! {
        result = async { server.await } => result,
        () = async {
            let _ = on_shutdown.wait_for(|&shutdown| shutdown).await;
            tokio::time::sleep(DRAIN_TIMEOUT).await;
        } => {
            eprintln!("draining timed out after {DRAIN_TIMEOUT:?}");
            Ok(())
        }
    }
}

/// Reloads the configuration file on each SIGHUP and reports the result on standard error.
#[cfg(unix)]
pub(crate) fn reload_on_sighup(services: llm::ReloadableRouter) -> io::Result<()> {
    let mut hangup = signal::unix::signal(signal::unix::SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            match services.reload() {
                Ok(()) => eprintln!("reloaded {}", services.path()),
                Err(error) => eprintln!("{error}; the previous configuration stays in force"),
            }
        }
    });
    Ok(())
}

/// Does nothing, because SIGHUP exists on Unix only.
#[cfg(not(unix))]
pub(crate) fn reload_on_sighup(_: llm::ReloadableRouter) -> io::Result<()> {
    Ok(())
}

async fn shutdown_signal() {
    let interrupt = async {
        let _ = signal::ctrl_c().await;
    };
    #[cfg(unix)]
    {
        let terminate = async {
            match signal::unix::signal(signal::unix::SignalKind::terminate()) {
                Ok(mut terminate) => {
                    terminate.recv().await;
                }
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = interrupt => {}
            () = terminate => {}
        }
    }
    #[cfg(not(unix))]
    interrupt.await;
}
