//! The state of the server, for the readiness endpoint and the metrics.

use std::{
    num::NonZeroU32,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio_util::task::TaskTracker;

/// Whether the server accepts connections, and how many are open.
///
/// # Clone
///
/// Clones share the state.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerStatus(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Set when the server starts to accept connections.
    limit: OnceLock<Limit>,
    is_stopping: AtomicBool,
}

#[derive(Debug)]
struct Limit {
    /// A task for each connection.
    connections: TaskTracker,
    max: NonZeroU32,
}

impl ServerStatus {
    /// Records that the server accepts connections, each with a task.
    pub(super) fn start(&self, connections: TaskTracker, max: NonZeroU32) {
        let _ = self.0.limit.set(Limit { connections, max });
    }

    /// Records the shutdown signal.
    pub(super) fn stop(&self) {
        self.0.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Returns whether new requests should be sent here: the first configuration is applied, and no
    /// shutdown signal has arrived.
    pub(crate) fn is_ready(&self) -> bool {
        self.0.limit.get().is_some() && !self.0.is_stopping.load(Ordering::Relaxed)
    }

    /// Returns the number of open connections and their maximum, or 0 before the start.
    pub(crate) fn connections(&self) -> (u32, u32) {
        let Some(Limit { connections, max }) = self.0.limit.get() else { return (0, 0) };
        (u32::try_from(connections.len()).unwrap_or(u32::MAX), max.get())
    }
}
