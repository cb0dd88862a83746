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

use crate::{InvalidScript, ReceivedRequest, Script, Step, http1::serve, state::UpstreamState};

/// An upstream on a socket, which speaks HTTP/1.1, until it is dropped: that closes the socket and all connections. See
/// the [crate docs](crate).
#[derive(Debug)]
pub struct FlakyUpstream {
    addr: SocketAddr,
    state: Arc<UpstreamState>,
    connections: Arc<AtomicU64>,
    /// `None` while connections are refused.
    accepting: Option<JoinHandle<()>>,
    /// Reserves the port while connections are refused.
    _port: TcpSocket,
}

impl FlakyUpstream {
    /// Listens on a free port of 127.0.0.1 and follows `script`: a [`Script`], one [`Step`] that repeats, or an array of steps. Requires
    /// a tokio runtime with I/O, and with time for steps that wait.
    ///
    /// # Errors
    /// An error of kind `InvalidInput` with an [`InvalidScript`] if the script is invalid, and any error of the socket.
    pub async fn start(script: impl Into<Script>) -> io::Result<Self> {
        let mut upstream = Self::bind(validate(script.into())?)?;
        upstream.listen().await?;
        Ok(upstream)
    }

    /// Reserves a free port of 127.0.0.1, where all connections are refused until [`set_script`](Self::set_script).
    ///
    /// # Errors
    /// Any error of the socket.
    pub fn refusing() -> io::Result<Self> {
        Self::bind(Step::silent().into())
    }

    fn bind(script: Script) -> io::Result<Self> {
        let port = TcpSocket::new_v4()?;
        port.set_reuseaddr(true)?;
        port.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        Ok(Self {
            addr: port.local_addr()?,
            state: Arc::new(UpstreamState::new(script).map_err(invalid)?),
            connections: Arc::default(),
            accepting: None,
            _port: port,
        })
    }

    /// Replaces the script, and listens again after [`refuse`](Self::refuse). Connections and received requests stay.
    ///
    /// # Errors
    /// As [`start`](Self::start). After an invalid script the former one stays.
    pub async fn set_script(&mut self, script: impl Into<Script>) -> io::Result<()> {
        self.state.set_script(validate(script.into())?).map_err(invalid)?;
        self.listen().await
    }

    async fn listen(&mut self) -> io::Result<()> {
        if self.accepting.is_none() {
            let listener = TcpListener::bind(self.addr).await?;
            let (state, connections) = (Arc::clone(&self.state), Arc::clone(&self.connections));
            self.accepting = Some(tokio::spawn(accept(listener, state, connections)));
        }
        Ok(())
    }

    /// Closes all connections and stops listening, like a crash. Connections are refused until [`set_script`](Self::set_script).
    pub async fn refuse(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            let _ = accepting.await;
        }
    }

    /// Returns the address.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the URL of a path, which begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Returns the number of accepted connections.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Returns the number of requests whose heads were received.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.state.requests()
    }

    /// Returns the first thousand received requests, including those whose body has not ended.
    #[must_use]
    pub fn received(&self) -> Vec<ReceivedRequest> {
        self.state.received()
    }
}

impl Drop for FlakyUpstream {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

fn validate(script: Script) -> io::Result<Script> {
    if script.steps().any(|step| !step.action.is_for_sockets()) {
        return Err(invalid(InvalidScript::NotOnSocket));
    }
    script.validate().map_err(invalid)?;
    Ok(script)
}

fn invalid(error: InvalidScript) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

async fn accept(listener: TcpListener, state: Arc<UpstreamState>, connections: Arc<AtomicU64>) {
    // Dropping the set aborts its tasks, so connections end with the upstream.
    let mut open = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Too many files are open, or the client is gone. Both may be temporary.
            yield_now().await;
            continue;
        };
        connections.fetch_add(1, Ordering::Relaxed);
        let state = Arc::clone(&state);
        open.spawn(async move { serve(stream, &state).await });
        while open.try_join_next().is_some() {}
    }
}
