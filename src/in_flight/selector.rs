//! Selects the limit of a request.

use std::{fmt, time::Duration};

use tokio::time::Instant;

use super::{
    LimitReached,
    limit::{Kind, Limit, Permit},
};
use crate::{
    keys::{BoundedMap, KeyExtractor, UriKey},
    sharded_arc::ShardedArc,
    time_limit::BodyWait,
};

/// Finds the limit of a request.
pub trait LimitSelector<Req> {
    /// Returns `None` if the request has no limit.
    fn find(&self, request: &Req) -> Option<ShardedArc<Limit>>;

    /// Returns the waits for the request body, if they are known.
    fn body_wait(&self, _request: &Req) -> Option<BodyWait> {
        None
    }
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

/// One limit for each key. [`UriKey`] returns the key of an HTTP request's URI, and
/// [`RequestKey`](crate::keys::RequestKey) the key of a request of any type.
pub struct LimitPerKey<K = UriKey> {
    inner: ShardedArc<Inner<K>>,
}

/// The fields are behind one pointer, because a service is cloned for each call that may be
/// retried.
struct Inner<K> {
    key_extractor: K,
    limits: BoundedMap<Limit>,
    kind: Kind,
}

impl<K> LimitPerKey<K> {
    pub(super) fn new(key_extractor: K, kind: Kind) -> Self {
        Self {
            inner: ShardedArc::new(Inner { key_extractor, limits: BoundedMap::default(), kind }),
        }
    }
}

/// Acquires a permit for `request`. Returns no permit if the request has no limit.
pub(super) fn acquire<Req>(
    selector: &impl LimitSelector<Req>,
    request: &Req,
    unread_timeout: Duration,
) -> Result<Option<Permit>, Box<LimitReached>> {
    let limit = selector.find(request);
    let permit = limit.map(|limit| Permit::acquire(limit, unread_timeout)).transpose();
    let mut permit = permit.map_err(|limit| Box::new(LimitReached::new(&limit)))?;
    if let Some(permit) = &mut permit
        && permit.measures_latency()
    {
        permit.exclude(selector.body_wait(request));
    }
    Ok(permit)
}

impl<K: KeyExtractor<Req>, Req> LimitSelector<Req> for LimitPerKey<K> {
    fn find(&self, request: &Req) -> Option<ShardedArc<Limit>> {
        let inner = &self.inner;
        let key = inner.key_extractor.key(request)?;
        let create = |key| Limit::new(Some(key), inner.kind);
        let found = inner.limits.get_or_create(&key, Instant::now, create);
        if found.is_none() {
            crate::metrics::record_untracked_key("in_flight");
        }
        found
    }

    fn body_wait(&self, request: &Req) -> Option<BodyWait> {
        self.inner.key_extractor.body_wait(request)
    }
}

impl<K> Clone for LimitPerKey<K> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<K> fmt::Debug for LimitPerKey<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitPerKey").field("limits", &self.inner.limits).finish_non_exhaustive()
    }
}
