//! An origin server that fails on purpose, on a real socket.
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
//! It speaks just enough HTTP/1.1 to read one request after another from a connection: head, and a body by
//! `Content-Length` or chunks.

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

/// A server that follows a [`Script`] until it is dropped, which closes its socket and all connections.
#[derive(Debug)]
pub struct Origin {
    addr: SocketAddr,
    seen: Arc<Seen>,
    /// Connections are refused without it.
    accepting: Option<JoinHandle<()>>,
    /// Keeps the port, while nobody listens on it, from being given to somebody who would.
    _port: TcpSocket,
}

/// What an origin has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) connections: AtomicU64,
    pub(crate) requests: AtomicU64,
    /// The last requests, whole; at most [`KEPT`].
    pub(crate) received: Mutex<Vec<Received>>,
}

/// How many requests are kept whole.
const KEPT: usize = 1_000;

impl Origin {
    /// Listens on a free port of 127.0.0.1 and follows `script`.
    ///
    /// # Errors
    /// When no socket can be had.
    pub async fn start(script: Script) -> io::Result<Self> {
        let port = TcpSocket::new_v4()?;
        port.set_reuseaddr(true)?;
        port.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let addr = port.local_addr()?;
        let mut origin = Self { addr, seen: Arc::default(), accepting: None, _port: port };
        origin.follow(script).await?;
        Ok(origin)
    }

    /// Follows `script` from now on, as if restarted: all connections are closed, the counts go on.
    ///
    /// # Errors
    /// When it cannot listen again; it refuses connections then.
    pub async fn follow(&mut self, script: Script) -> io::Result<()> {
        self.stop().await;
        if script != Script::Refuse {
            let listener = TcpListener::bind(self.addr).await?;
            self.accepting = Some(tokio::spawn(accept(listener, script, Arc::clone(&self.seen))));
        }
        Ok(())
    }

    /// Stops listening and closes all connections: from now on, it refuses them.
    pub async fn stop(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            let _ = accepting.await;
        }
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many connections it has accepted.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.seen.connections.load(Ordering::Relaxed)
    }

    /// How many requests it has received, to the end of their heads.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.seen.requests.load(Ordering::Relaxed)
    }

    /// The requests it has received whole: the first thousand.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.seen.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

async fn accept(listener: TcpListener, script: Script, seen: Arc<Seen>) {
    // Aborts what is in it when dropped, so connections end with the origin.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        seen.connections.fetch_add(1, Ordering::Relaxed);
        connections.spawn(serve(stream, script, Arc::clone(&seen)));
        while connections.try_join_next().is_some() {}
    }
}

/// An error ends the connection: the peer is gone, or sent what is not HTTP.
async fn serve(mut stream: TcpStream, script: Script, seen: Arc<Seen>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    if script == Script::AcceptClose {
        return Ok(());
    }
    let mut buffer = Vec::new();
    let mut on_this_connection = 0;
    while let Some(head) = request::read_head(&mut stream, &mut buffer).await? {
        let number = seen.requests.fetch_add(1, Ordering::Relaxed) + 1;
        if script.answers_early() {
            script.answer(&mut stream, number).await?;
        }
        let received = request::read_body(&mut stream, &mut buffer, head).await?;
        {
            let mut all = seen.received.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() < KEPT {
                all.push(received);
            }
        }
        on_this_connection += 1;
        if matches!(script, Script::StaleAfter { requests } if on_this_connection > requests) {
            break;
        }
        if !script.answers_early() && !script.answer(&mut stream, number).await? {
            break;
        }
    }
    Ok(())
}
