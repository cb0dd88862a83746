//! The client's connections that are kept for further requests.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The upstream closes what was idle for so long. That is noticed by who writes to it, and not before.
const CLOSED_AFTER: Duration = Duration::from_secs(5);

/// The one that was used last is taken first, as hyper-util and reqwest do.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool(Arc<Mutex<Vec<Instant>>>);

/// A connection that is in use. Dropped, it is closed.
#[derive(Debug)]
pub(super) struct Connection(Pool);

impl Pool {
    /// `None`: it was closed meanwhile by the other side, and the request is lost.
    pub(super) fn take(&self) -> Option<Connection> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let usable = kept.is_none_or(|since| since.elapsed() < CLOSED_AFTER);
        usable.then(|| Connection(self.clone()))
    }
}

impl Connection {
    pub(super) fn keep(self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
    }
}
