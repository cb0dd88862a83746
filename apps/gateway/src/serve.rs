//! Serving until told to stop.

use std::{io, net::SocketAddr, time::Duration};

use axum::{Router, serve::ListenerExt};
use tokio::{net::TcpListener, signal, sync::watch};
use tower::util::MapRequestLayer;

use crate::{headers, llm};

/// How long calls in flight may take to end after the signal.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves until Ctrl-C or SIGTERM, tells so, then lets calls in flight end.
pub(crate) async fn until_told(
    listener: TcpListener,
    router: Router,
    tell: watch::Sender<bool>,
) -> io::Result<()> {
    println!("listening on http://{}", listener.local_addr()?);
    // Else an event of a stream may wait for the one after it.
    let listener = listener.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    let mut told = tell.subscribe();
    let router = router.layer(MapRequestLayer::new(headers::with_host));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move {
        asked_to_stop().await;
        eprintln!("draining");
        tell.send_replace(true);
    });
    tokio::select! {
        result = async { serving.await } => result,
        () = async {
            let _ = told.wait_for(|&told| told).await;
            tokio::time::sleep(DRAIN).await;
        } => {
            eprintln!("gave up draining after {DRAIN:?}");
            Ok(())
        }
    }
}

/// Reads the file again at each SIGHUP from now on, and says what came of it.
#[cfg(unix)]
pub(crate) fn when_told_again(current: llm::Current) -> io::Result<()> {
    let mut told = signal::unix::signal(signal::unix::SignalKind::hangup())?;
    tokio::spawn(async move {
        while told.recv().await.is_some() {
            match current.read_again() {
                Ok(()) => eprintln!("{} read again", current.path()),
                Err(fault) => eprintln!("{fault}; what was read before stays in force"),
            }
        }
    });
    Ok(())
}

/// There is no such signal.
#[cfg(not(unix))]
pub(crate) fn when_told_again(_: llm::Current) -> io::Result<()> {
    Ok(())
}

async fn asked_to_stop() {
    let interrupted = async {
        let _ = signal::ctrl_c().await;
    };
    #[cfg(unix)]
    {
        let terminated = async {
            match signal::unix::signal(signal::unix::SignalKind::terminate()) {
                Ok(mut terminated) => {
                    terminated.recv().await;
                }
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = interrupted => {}
            () = terminated => {}
        }
    }
    #[cfg(not(unix))]
    interrupted.await;
}
