use std::{collections::BTreeMap, mem, task::Waker, thread};

use crate::sync::{Mutex, lock};

/// The wakers of the services that wait for a change of the circuit, one for each service.
#[derive(Debug, Default)]
pub(super) struct Wakers(Mutex<Registered>);

#[derive(Debug, Default)]
struct Registered {
    by_id: BTreeMap<u64, Waker>,
    next_id: u64,
}

// A waker is user code, so it is cloned, woken and dropped while the lock is not held.
impl Wakers {
    /// Returns an unused identifier for a service.
    pub(super) fn next_id(&self) -> u64 {
        let mut registered = lock(&self.0);
        registered.next_id += 1;
        registered.next_id
    }

    /// Registers `waker`, and replaces the previous one of the same service.
    pub(super) fn register(&self, id: u64, waker: &Waker) {
        let waker = waker.clone();
        let replaced = lock(&self.0).by_id.insert(id, waker);
        drop(replaced);
    }

    pub(super) fn remove(&self, id: u64) {
        let removed = lock(&self.0).by_id.remove(&id);
        drop(removed);
    }

    /// Wakes all services.
    ///
    /// Does nothing while the thread is panicking, because a waker that panics would then abort the
    /// process. The wakers stay registered.
    pub(super) fn wake(&self) {
        if thread::panicking() {
            return;
        }
        let wakers = mem::take(&mut lock(&self.0).by_id);
        for waker in wakers.into_values() {
            waker.wake();
        }
    }
}
