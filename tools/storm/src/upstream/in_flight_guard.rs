use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// A request that somebody waits for.
pub(super) struct Held(Arc<AtomicUsize>);

impl Held {
    pub(super) fn new(under_way: &Arc<AtomicUsize>) -> Self {
        under_way.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(under_way))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
