use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    net::{TcpListener, TcpSocket},
    task::{JoinHandle, JoinSet, yield_now},
};

use super::{InvalidScript, ReceivedRequest, Script, Step, connection::serve, shared::Shared};

/// An upstream on a socket, which speaks HTTP/1.1, until it is dropped: that closes the socket and all connections. See
/// the [module docs](super).
#[derive(Debug)]
pub struct FlakyUpstream {
    addr: SocketAddr,
    shared: Arc<Shared>,
    connections: Arc<AtomicU64>,
    /// Connections are refused without it.
    accepting: Option<JoinHandle<()>>,
    /// Keeps the port, while nobody listens on it, from being given to somebody who would.
    _port: TcpSocket,
}

impl FlakyUpstream {
    /// Listens on a free port of 127.0.0.1 and follows `script`: a [`Script`], one [`Step`] forever, or an array of them.
    /// Needs tokio's runtime, with I/O, and with time for steps that wait.
    ///
    /// # Errors
    /// Of kind `InvalidInput`, a [`InvalidScript`] inside, if the script has no step or a wrong one, or one for use in process. Any
    /// other if no socket can be had.
    pub async fn start(script: impl Into<Script>) -> io::Result<Self> {
        let mut upstream = Self::bind(checked(script.into())?)?;
        upstream.listen().await?;
        Ok(upstream)
    }

    /// Keeps a free port of 127.0.0.1, where all connections are refused, until it is told to
    /// [`set_script`](Self::set_script) a script.
    ///
    /// # Errors
    /// If no socket can be had.
    pub fn refusing() -> io::Result<Self> {
        Self::bind(Step::silent().into())
    }

    fn bind(script: Script) -> io::Result<Self> {
        let port = TcpSocket::new_v4()?;
        port.set_reuseaddr(true)?;
        port.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        Ok(Self {
            addr: port.local_addr()?,
            shared: Arc::new(Shared::new(script).map_err(invalid)?),
            connections: Arc::default(),
            accepting: None,
            _port: port,
        })
    }

    /// Follows another script from the next request on, and listens if it did not. Connections stay, and so does what was
    /// received.
    ///
    /// # Errors
    /// As [`start`](Self::start); after a wrong script it goes on with the former.
    pub async fn set_script(&mut self, script: impl Into<Script>) -> io::Result<()> {
        self.shared.follow(checked(script.into())?).map_err(invalid)?;
        self.listen().await
    }

    async fn listen(&mut self) -> io::Result<()> {
        if self.accepting.is_none() {
            let listener = TcpListener::bind(self.addr).await?;
            let (shared, connections) = (Arc::clone(&self.shared), Arc::clone(&self.connections));
            self.accepting = Some(tokio::spawn(accept(listener, shared, connections)));
        }
        Ok(())
    }

    /// Closes all connections and stops listening, as a crash would: connections are refused from now on, until it is told
    /// to [`set_script`](Self::set_script) a script.
    pub async fn refuse(&mut self) {
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

    /// The URL of a path there, which begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// How many connections it has accepted.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// How many requests it has received, to the end of their heads.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.requests()
    }

    /// The requests it has received, also those whose body has not ended: the first thousand.
    #[must_use]
    pub fn received(&self) -> Vec<ReceivedRequest> {
        self.shared.received()
    }
}

impl Drop for FlakyUpstream {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

fn checked(script: Script) -> io::Result<Script> {
    if script.all().any(|step| !step.action.is_for_sockets()) {
        return Err(invalid(InvalidScript::NotOnSocket));
    }
    script.check().map_err(invalid)?;
    Ok(script)
}

fn invalid(error: InvalidScript) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, connections: Arc<AtomicU64>) {
    // Aborts what is in it when dropped, so connections end with the upstream.
    let mut open = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // There are too many open files, or the client is gone: neither need be so for ever.
            yield_now().await;
            continue;
        };
        connections.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::clone(&shared);
        open.spawn(async move { serve(stream, &shared).await });
        while open.try_join_next().is_some() {}
    }
}
