//! The limits of open event streams.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::client_address::ClientNetwork;

/// The maximum number of open event streams.
const MAX_VIEWERS: usize = 32;

/// The maximum number of open event streams of one address.
const MAX_VIEWERS_PER_ADDRESS: usize = 8;

/// The open event streams of each address.
///
/// # Clone
///
/// Clones share the state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Viewers(Arc<Mutex<HashMap<Option<ClientNetwork>, usize>>>);

/// The permit for one event stream, returned on drop.
#[derive(Debug)]
pub(crate) struct ViewerPermit {
    viewers: Viewers,
    network: Option<ClientNetwork>,
}

impl Viewers {
    /// Returns a permit, unless all permits or those of the address are in use.
    pub(crate) fn try_acquire(&self, network: Option<ClientNetwork>) -> Option<ViewerPermit> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let total: usize = open.values().sum();
        let own = open.get(&network).copied().unwrap_or_default();
        if total >= MAX_VIEWERS || own >= MAX_VIEWERS_PER_ADDRESS {
            return None;
        }
        open.insert(network, own + 1);
        drop(open);
        Some(ViewerPermit { viewers: self.clone(), network })
    }

    /// Returns whether any event stream is open.
    pub(crate) fn any(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl Drop for ViewerPermit {
    fn drop(&mut self) {
        let mut open = self.viewers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.network) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.network);
            }
        }
    }
}
