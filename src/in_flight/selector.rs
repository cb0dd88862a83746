//! Selects the limit of a request.

use std::fmt;

use tokio::time::Instant;

use super::{
    LimitReached,
    limit::{Kind, Limit, Permit},
};
use crate::{
    keys::{BoundedMap, KeyExtractor},
    sharded_arc::ShardedArc,
};

/// Finds the limit of a request.
pub trait LimitSelector<Req> {
    /// Returns `None` if the request has no limit.
    fn find(&self, request: &Req) -> Option<ShardedArc<Limit>>;
}

/// One limit for all requests.
#[derive(Clone, Debug)]
pub struct SharedLimit {
    pub(super) limit: ShardedArc<Limit>,
}

impl<Req> LimitSelector<Req> for SharedLimit {
    fn find(&self, _request: &Req) -> Option<ShardedArc<Limit>> {
        Some(self.limit.clone())
    }
}

/// A limit for each key.
pub struct LimitPerKey<F> {
    inner: ShardedArc<Inner<F>>,
}

/// Behind one pointer, since a service is cloned for each call that may be retried.
struct Inner<F> {
    key_extractor: F,
    store: BoundedMap<Limit>,
    kind: Kind,
}

impl<F> LimitPerKey<F> {
    pub(super) fn new(key_extractor: F, kind: Kind) -> Self {
        Self { inner: ShardedArc::new(Inner { key_extractor, store: BoundedMap::default(), kind }) }
    }
}

/// Takes a place for `request`, if it has a limit.
pub(super) fn acquire<Req>(
    find: &impl LimitSelector<Req>,
    request: &Req,
) -> Result<Option<Permit>, Box<LimitReached>> {
    let permit = find.find(request).map(Permit::acquire).transpose();
    permit.map_err(|limit| Box::new(LimitReached::new(&limit)))
}

impl<F: KeyExtractor<Req>, Req> LimitSelector<Req> for LimitPerKey<F> {
    fn find(&self, request: &Req) -> Option<ShardedArc<Limit>> {
        let inner = &self.inner;
        let key = inner.key_extractor.key(request)?;
        let make = |key| Limit::new(Some(key), inner.kind);
        let found = inner.store.get(&key, Instant::now, make);
        if found.is_none() {
            crate::metrics::record_untracked_key("in_flight");
        }
        found
    }
}

impl<F> Clone for LimitPerKey<F> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<F> fmt::Debug for LimitPerKey<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitPerKey").field("store", &self.inner.store).finish_non_exhaustive()
    }
}
