//! An origin server on a real socket that fails on purpose.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! use scripted_origin::{Origin, Script};
//!
//! let origin = Origin::start(Script::Status(502)).await?;
//! let url = format!("http://{}/", origin.addr());
//! # let _ = url;
//! assert_eq!(origin.requests(), 0);
//! # Ok(())
//! # }
//! ```
//!
//! It implements the part of HTTP/1.1 that is needed to read successive requests from a connection:
//! the head, and a body with `Content-Length` or in chunks.

mod request;
mod script;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::{JoinHandle, JoinSet},
};

pub use self::{request::Received, script::Script};

/// A server with a [`Script`]. Dropping it closes its socket and all connections.
#[derive(Debug)]
pub struct Origin {
    addr: SocketAddr,
    stats: Arc<Stats>,
    /// The task that accepts connections. `None` while connections are refused.
    accept_task: Option<JoinHandle<()>>,
    /// Reserves the port while the origin does not listen.
    _reserved_port: TcpSocket,
}

/// The connections and requests that an origin has received.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    pub(crate) connections: AtomicU64,
    pub(crate) requests: AtomicU64,
    /// The first complete requests, at most [`MAX_KEPT_REQUESTS`].
    pub(crate) received: Mutex<Vec<Received>>,
}

/// The maximum number of complete requests to keep.
const MAX_KEPT_REQUESTS: usize = 1_000;

impl Origin {
    /// Listens on a free port of 127.0.0.1 with a script.
    ///
    /// # Errors
    /// Returns an error if it cannot bind a socket.
    pub async fn start(script: Script) -> io::Result<Self> {
        let port = TcpSocket::new_v4()?;
        port.set_reuseaddr(true)?;
        port.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let addr = port.local_addr()?;
        let mut origin =
            Self { addr, stats: Arc::default(), accept_task: None, _reserved_port: port };
        origin.set_script(script).await?;
        Ok(origin)
    }

    /// Restarts with another script. Closes all connections, and keeps the counts.
    ///
    /// # Errors
    /// Returns an error if it cannot listen again. The origin then refuses connections.
    pub async fn set_script(&mut self, script: Script) -> io::Result<()> {
        self.stop().await;
        if script != Script::Refuse {
            let listener = TcpListener::bind(self.addr).await?;
            self.accept_task =
                Some(tokio::spawn(accept(listener, script, Arc::clone(&self.stats))));
        }
        Ok(())
    }

    /// Stops listening and closes all connections. New connections are refused.
    pub async fn stop(&mut self) {
        if let Some(accept_task) = self.accept_task.take() {
            accept_task.abort();
            let _ = accept_task.await;
        }
    }

    /// Returns the address of the socket.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the number of accepted connections.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.stats.connections.load(Ordering::Relaxed)
    }

    /// Returns the number of requests whose head was received.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.stats.requests.load(Ordering::Relaxed)
    }

    /// Returns the first 1,000 complete requests.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.stats.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        if let Some(accept_task) = &self.accept_task {
            accept_task.abort();
        }
    }
}

async fn accept(listener: TcpListener, script: Script, stats: Arc<Stats>) {
    // Dropping the set aborts its tasks, so the connections end with the origin.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        stats.connections.fetch_add(1, Ordering::Relaxed);
        connections.spawn(serve(stream, script, Arc::clone(&stats)));
        while connections.try_join_next().is_some() {}
    }
}

/// Serves one connection. Returns an error if the peer closes it early or does not send HTTP.
async fn serve(mut stream: TcpStream, script: Script, stats: Arc<Stats>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    if script == Script::AcceptClose {
        return Ok(());
    }
    let mut buffer = Vec::new();
    let mut requests_on_connection = 0;
    while let Some(head) = request::read_head(&mut stream, &mut buffer).await? {
        let number = stats.requests.fetch_add(1, Ordering::Relaxed) + 1;
        if script.responds_early() {
            script.respond(&mut stream, number).await?;
        }
        let received = request::read_body(&mut stream, &mut buffer, head).await?;
        {
            let mut requests = stats.received.lock().unwrap_or_else(PoisonError::into_inner);
            if requests.len() < MAX_KEPT_REQUESTS {
                requests.push(received);
            }
        }
        requests_on_connection += 1;
        if matches!(script, Script::StaleAfter { requests } if requests_on_connection > requests) {
            break;
        }
        if !script.responds_early() && !script.respond(&mut stream, number).await? {
            break;
        }
    }
    Ok(())
}
