use std::task::Waker;

use super::sync::{AtomicU64, Mutex, Ordering, lock};

/// Services that are not ready because their circuit is open, one waker each.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    wakers: Mutex<Vec<(u64, Waker)>>,
    next: AtomicU64,
}

impl Waiting {
    /// A name for a service that waits.
    pub(super) fn id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn keep(&self, id: u64, waker: &Waker) {
        // To clone, to wake and to drop one is somebody else's code, so outside the lock.
        let waker = waker.clone();
        let mut wakers = lock(&self.wakers);
        let replaced = if let Some((_, kept)) = wakers.iter_mut().find(|(of, _)| *of == id) {
            Some(std::mem::replace(kept, waker))
        } else {
            wakers.push((id, waker));
            None
        };
        drop(wakers);
        drop(replaced);
    }

    pub(super) fn forget(&self, id: u64) {
        let mut wakers = lock(&self.wakers);
        let at = wakers.iter().position(|(of, _)| *of == id);
        let forgotten = at.map(|at| wakers.swap_remove(at));
        drop(wakers);
        drop(forgotten);
    }

    pub(super) fn wake(&self) {
        let wakers = std::mem::take(&mut *lock(&self.wakers));
        for (_, waker) in wakers {
            waker.wake();
        }
    }
}
