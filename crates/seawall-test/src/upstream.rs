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

/// An HTTP/1.1 upstream on a socket. Dropping it closes the socket and all connections. See the
/// [crate docs](crate).
#[derive(Debug)]
pub struct FlakyUpstream {
    addr: SocketAddr,
    state: Arc<UpstreamState>,
    connections: Arc<AtomicU64>,
    /// The task that accepts connections. `None` while connections are refused.
    accept_task: Option<JoinHandle<()>>,
    /// Reserves the port while connections are refused.
    _reserved_port: TcpSocket,
}

impl FlakyUpstream {
    /// Listens on a free port of 127.0.0.1 with a script: a [`Script`], a [`Step`] that repeats, or
    /// an array of steps.
    ///
    /// Requires a tokio runtime with I/O. Steps that wait also require its timer.
    ///
    /// # Errors
    /// Returns an error of kind `InvalidInput` with an [`InvalidScript`] if the script is invalid,
    /// or the error of the socket.
    pub async fn start(script: impl Into<Script>) -> io::Result<Self> {
        let mut upstream = Self::bind(validate(script.into())?)?;
        upstream.listen().await?;
        Ok(upstream)
    }

    /// Reserves a free port of 127.0.0.1, and refuses all connections until
    /// [`set_script`](Self::set_script) is called.
    ///
    /// # Errors
    /// Returns the error of the socket.
    pub fn refusing() -> io::Result<Self> {
        Self::bind(Step::silent().into())
    }

    fn bind(script: Script) -> io::Result<Self> {
        let port = TcpSocket::new_v4()?;
        port.set_reuseaddr(true)?;
        port.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        Ok(Self {
            addr: port.local_addr()?,
            state: Arc::new(UpstreamState::new(script).map_err(invalid_input)?),
            connections: Arc::default(),
            accept_task: None,
            _reserved_port: port,
        })
    }

    /// Replaces the script, and listens again after [`refuse`](Self::refuse). Keeps the connections
    /// and the received requests.
    ///
    /// # Errors
    /// Returns the same errors as [`start`](Self::start). If the script is invalid, the previous
    /// one is kept.
    pub async fn set_script(&mut self, script: impl Into<Script>) -> io::Result<()> {
        self.state.set_script(validate(script.into())?).map_err(invalid_input)?;
        self.listen().await
    }

    async fn listen(&mut self) -> io::Result<()> {
        if self.accept_task.is_none() {
            let listener = TcpListener::bind(self.addr).await?;
            let (state, connections) = (Arc::clone(&self.state), Arc::clone(&self.connections));
            self.accept_task = Some(tokio::spawn(accept(listener, state, connections)));
        }
        Ok(())
    }

    /// Closes all connections and stops listening, like a crash. Refuses connections until
    /// [`set_script`](Self::set_script) is called.
    pub async fn refuse(&mut self) {
        if let Some(accept_task) = self.accept_task.take() {
            accept_task.abort();
            let _ = accept_task.await;
        }
    }

    /// Returns the address.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the URL of `path`, which must start with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Returns the number of accepted connections.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Returns the number of requests whose head was received.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.state.requests()
    }

    /// Returns the first 1,000 received requests, including those with an incomplete body.
    #[must_use]
    pub fn received(&self) -> Vec<ReceivedRequest> {
        self.state.received()
    }
}

impl Drop for FlakyUpstream {
    fn drop(&mut self) {
        if let Some(accept_task) = &self.accept_task {
            accept_task.abort();
        }
    }
}

fn validate(script: Script) -> io::Result<Script> {
    if script.steps().any(|step| !step.action.works_on_socket()) {
        return Err(invalid_input(InvalidScript::NotOnSocket));
    }
    script.validate().map_err(invalid_input)?;
    Ok(script)
}

fn invalid_input(error: InvalidScript) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

async fn accept(listener: TcpListener, state: Arc<UpstreamState>, connections: Arc<AtomicU64>) {
    // Dropping the set aborts its tasks, so the connections end with the upstream.
    let mut connection_tasks = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Too many files are open, or the client has disconnected. Both may be temporary.
            yield_now().await;
            continue;
        };
        connections.fetch_add(1, Ordering::Relaxed);
        let state = Arc::clone(&state);
        connection_tasks.spawn(async move { serve(stream, &state).await });
        while connection_tasks.try_join_next().is_some() {}
    }
}
