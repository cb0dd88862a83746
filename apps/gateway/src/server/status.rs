//! The state of the server, for the readiness endpoint and the metrics.

use std::{
    num::NonZeroU32,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Semaphore;

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
    free: Arc<Semaphore>,
    max: NonZeroU32,
}

impl ServerStatus {
    /// Records that the server accepts connections, each with a permit of `free`.
    pub(super) fn start(&self, free: Arc<Semaphore>, max: NonZeroU32) {
        let _ = self.0.limit.set(Limit { free, max });
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
        let Some(Limit { free, max }) = self.0.limit.get() else { return (0, 0) };
        let max = max.get();
        let free = u32::try_from(free.available_permits()).unwrap_or(max);
        let taken = max.saturating_sub(free);
        // The listener holds a permit for the next connection, unless it waits for one.
        let of_listener = u32::from(free > 0 && self.is_ready());
        (taken.saturating_sub(of_listener), max)
    }
}
