//! Selects the limit of a request.

use std::fmt;

use tokio::time::Instant;

use super::{
    Shed,
    limit::{Kind, Limit, Place},
};
use crate::{
    keys::{Key, Store},
    sharded::Sharded,
};

/// Finds the limit of a request.
pub trait Find<Req> {
    /// Returns `None` if the request has no limit.
    fn find(&self, request: &Req) -> Option<Sharded<Limit>>;
}

/// One limit for all requests.
#[derive(Clone, Debug)]
pub struct Single {
    pub(super) limit: Sharded<Limit>,
}

impl<Req> Find<Req> for Single {
    fn find(&self, _request: &Req) -> Option<Sharded<Limit>> {
        Some(self.limit.clone())
    }
}

/// A limit for each key.
pub struct Keyed<F> {
    shared: Sharded<Shared<F>>,
}

/// Behind one pointer, since a service is cloned for each call that may be retried.
struct Shared<F> {
    by: F,
    store: Store<Limit>,
    kind: Kind,
}

impl<F> Keyed<F> {
    pub(super) fn new(by: F, kind: Kind) -> Self {
        Self { shared: Sharded::new(Shared { by, store: Store::default(), kind }) }
    }
}

/// Takes a place for `request`, if it has a limit.
pub(super) fn acquire<Req>(
    find: &impl Find<Req>,
    request: &Req,
) -> Result<Option<Place>, Box<Shed>> {
    let place = find.find(request).map(Place::acquire).transpose();
    place.map_err(|limit| Box::new(Shed::new(&limit)))
}

impl<F: Key<Req>, Req> Find<Req> for Keyed<F> {
    fn find(&self, request: &Req) -> Option<Sharded<Limit>> {
        let shared = &self.shared;
        let key = shared.by.key(request)?;
        let make = |key| Limit::new(Some(key), shared.kind);
        let found = shared.store.get(&key, Instant::now, make);
        if found.is_none() {
            crate::metrics::overflow("in_flight");
        }
        found
    }
}

impl<F> Clone for Keyed<F> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<F> fmt::Debug for Keyed<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed").field("store", &self.shared.store).finish_non_exhaustive()
    }
}
