use std::{collections::HashMap, task::Waker};

use crate::{
    panics::silenced,
    sync::{AtomicU64, Mutex, Ordering, lock},
};

/// Services that are not ready, and want to know when the circuit changes: one waker each.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    wakers: Mutex<HashMap<u64, Waker>>,
    next: AtomicU64,
}

// To clone a waker, to wake it and to drop it is somebody else's code, so it is done outside the lock.
impl Waiting {
    /// A name for a service that waits.
    pub(super) fn id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn keep(&self, id: u64, waker: &Waker) {
        let waker = waker.clone();
        let replaced = lock(&self.wakers).insert(id, waker);
        drop(replaced);
    }

    pub(super) fn forget(&self, id: u64) {
        let forgotten = lock(&self.wakers).remove(&id);
        drop(forgotten);
    }

    /// One that panics keeps no other from being woken, and harms nobody: its panic ends here.
    pub(super) fn wake(&self) {
        let wakers = std::mem::take(&mut *lock(&self.wakers));
        for waker in wakers.into_values() {
            silenced(|| waker.wake());
        }
    }
}
