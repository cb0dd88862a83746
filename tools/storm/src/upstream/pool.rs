//! The client's pool of connections.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The idle timeout of the upstream's connections. The client notices a closed connection only when
/// it writes.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Reuses the most recently used connection first, as hyper-util and reqwest do.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool(Arc<Mutex<Vec<Instant>>>);

/// A connection in use. Dropping it closes it.
#[derive(Debug)]
pub(super) struct Connection(Pool);

impl Pool {
    /// Takes an idle connection, or opens one. Returns `None` if the upstream has closed the idle
    /// connection, so that the request fails.
    pub(super) fn checkout(&self) -> Option<Connection> {
        let idle_since = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let usable = idle_since.is_none_or(|since| since.elapsed() < IDLE_TIMEOUT);
        usable.then(|| Connection(self.clone()))
    }
}

impl Connection {
    /// Returns the connection to the pool.
    pub(super) fn release(self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
    }
}
