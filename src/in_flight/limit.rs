use std::{
    error::Error,
    fmt,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::time::Instant;

use crate::{body::Watch, keys::Keep};

/// How many calls are under way, and how many may be.
#[derive(Debug)]
pub struct Limit {
    pub(super) key: Option<Arc<str>>,
    pub(super) most: NonZeroU32,
    taken: AtomicU32,
}

/// The place of a call under way, given back when it is dropped.
pub struct Place {
    /// `None` once it is given back, and for a call without a limit.
    limit: Option<Arc<Limit>>,
}

impl Limit {
    pub(super) const fn new(key: Option<Arc<str>>, most: NonZeroU32) -> Self {
        Self { key, most, taken: AtomicU32::new(0) }
    }

    pub(super) fn taken(&self) -> u32 {
        self.taken.load(Ordering::Relaxed)
    }
}

impl Place {
    /// Gives `limit` back, if there is none.
    pub(super) fn take(limit: Arc<Limit>) -> Result<Self, Arc<Limit>> {
        let one_more = |taken| (taken < limit.most.get()).then_some(taken + 1);
        match limit.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) {
            Ok(_) => Ok(Self { limit: Some(limit) }),
            Err(_) => Err(limit),
        }
    }

    fn give_back(&mut self) {
        if let Some(limit) = self.limit.take() {
            limit.taken.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Watch for Place {
    fn complete(&mut self) {
        self.give_back();
    }

    fn fail(&mut self, _error: &(dyn Error + 'static)) {
        self.give_back();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl Keep for Limit {
    fn is_clean(&self, _now: Instant) -> bool {
        self.taken() == 0
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.limit.is_some()).finish()
    }
}
