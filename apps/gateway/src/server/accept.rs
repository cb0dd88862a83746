//! Accepts connections.

use std::{net::SocketAddr, num::NonZeroU32, sync::Arc, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::accept_error::{self, WARNING_INTERVAL};
use crate::log::LineLimit;

/// The time until the first probe of a silent connection, and between probes. A dead peer then ends
/// the connection within about five minutes.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);
const TCP_KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// A listener with a maximum number of connections.
pub(super) struct LimitedListener {
    listener: TcpListener,
    connections: Arc<Semaphore>,
    max_connections: NonZeroU32,
    limit_warning: LineLimit,
    error_warning: LineLimit,
}

impl LimitedListener {
    pub(super) fn new(listener: TcpListener, max_connections: NonZeroU32) -> Self {
        Self {
            listener,
            connections: Arc::new(Semaphore::new(max_connections.get() as usize)),
            max_connections,
            limit_warning: LineLimit::new(WARNING_INTERVAL),
            error_warning: LineLimit::new(WARNING_INTERVAL),
        }
    }

    /// Returns the next connection, which counts until the permit is dropped.
    ///
    /// At the maximum, waits for the end of a connection. Errors of the listener are logged.
    pub(super) async fn accept(&mut self) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
        let permit = self.permit().await;
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    set_socket_options(&stream);
                    return (stream, peer, permit);
                }
                Err(error) => accept_error::recover(&error, &mut self.error_warning).await,
            }
        }
    }

    async fn permit(&mut self) -> OwnedSemaphorePermit {
        if let Ok(permit) = Arc::clone(&self.connections).try_acquire_owned() {
            return permit;
        }
        if self.limit_warning.is_due(Instant::now()) {
            tracing::warn!(
                "max_connections reached: new connections wait for the end of one of {}",
                self.max_connections
            );
        }
        match Arc::clone(&self.connections).acquire_owned().await {
            Ok(permit) => permit,
            Err(_closed) => std::future::pending().await,
        }
    }
}

fn set_socket_options(stream: &TcpStream) {
    // Nagle's algorithm would delay each server-sent event.
    let _ = stream.set_nodelay(true);
    let keepalive =
        TcpKeepalive::new().with_time(TCP_KEEPALIVE).with_interval(TCP_KEEPALIVE_INTERVAL);
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
}
