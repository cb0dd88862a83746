//! The resources that all services share.

use super::kept_bodies::KeptBodies;
use crate::client::{self, Clients, ConnectionConfig, SetupError};

/// The maximum number of bytes of all request bodies that are kept for a retry.
const MAX_KEPT_BYTES: u64 = 128 << 20;

/// The clients and the memory for request bodies.
///
/// # Clone
///
/// Clones share the resources.
#[derive(Clone, Debug)]
pub(super) struct Resources {
    connections: ConnectionConfig,
    pub(super) clients: Clients,
    pub(super) kept_bodies: KeptBodies,
}

impl Resources {
    /// Creates the resources. Shares the memory with `old`, and the connections too if their
    /// settings are the same.
    ///
    /// # Errors
    /// Returns an error as [`client::build`] does.
    pub(super) fn build(
        connections: &ConnectionConfig,
        old: Option<&Self>,
    ) -> Result<Self, SetupError> {
        let kept_bodies =
            old.map_or_else(|| KeptBodies::new(MAX_KEPT_BYTES), |old| old.kept_bodies.clone());
        let clients = match old.filter(|old| old.connections == *connections) {
            Some(old) => old.clients.clone(),
            None => client::build(connections)?,
        };
        Ok(Self { connections: connections.clone(), clients, kept_bodies })
    }

    /// Returns whether services keep their connections if these resources replace `old`.
    pub(super) fn has_connections_of(&self, old: &Self) -> bool {
        self.connections == old.connections
    }
}
