//! Which limit a request belongs to.

use std::{fmt, sync::Arc};

use tokio::time::Instant;

use super::limit::{Limit, Size};
use crate::keys::{Key, Store};

/// Finds the limit of a request.
pub trait Find<Req> {
    /// `None`: it has none.
    fn find(&self, request: &Req) -> Option<Arc<Limit>>;
}

/// One limit for all requests.
#[derive(Clone, Debug)]
pub struct Single {
    pub(super) limit: Arc<Limit>,
}

impl<Req> Find<Req> for Single {
    fn find(&self, _request: &Req) -> Option<Arc<Limit>> {
        Some(Arc::clone(&self.limit))
    }
}

/// A limit for each key.
pub struct Keyed<F> {
    by: Arc<F>,
    store: Arc<Store<Limit>>,
    size: Size,
}

impl<F> Keyed<F> {
    pub(super) fn new(by: F, size: Size) -> Self {
        Self { by: Arc::new(by), store: Arc::default(), size }
    }
}

impl<F: Key<Req>, Req> Find<Req> for Keyed<F> {
    fn find(&self, request: &Req) -> Option<Arc<Limit>> {
        let key = self.by.key(request)?;
        let found = self.store.get(&key, Instant::now, |key| Limit::new(Some(key), self.size));
        #[cfg(feature = "metrics")]
        if found.is_none() {
            crate::metrics::overflow("in_flight");
        }
        found
    }
}

impl<F> Clone for Keyed<F> {
    fn clone(&self) -> Self {
        Self { by: Arc::clone(&self.by), store: Arc::clone(&self.store), size: self.size }
    }
}

impl<F> fmt::Debug for Keyed<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed").field("store", &self.store).finish_non_exhaustive()
    }
}
