//! Which limit a request belongs to.

use std::fmt;

use tokio::time::Instant;

use super::{
    Shed,
    limit::{Limit, Place, Size},
};
use crate::{
    keys::{Key, Store},
    sharded::Sharded,
};

/// Finds the limit of a request.
pub trait Find<Req> {
    /// `None`: it has none.
    fn find(&mut self, request: &Req) -> Option<Sharded<Limit>>;
}

/// One limit for all requests.
#[derive(Clone, Debug)]
pub struct Single {
    pub(super) limit: Sharded<Limit>,
}

impl<Req> Find<Req> for Single {
    fn find(&mut self, _request: &Req) -> Option<Sharded<Limit>> {
        Some(self.limit.clone())
    }
}

/// A limit for each key.
pub struct Keyed<F> {
    shared: Sharded<Shared<F>>,
}

/// In one place, since a service is cloned for each call that may be retried.
struct Shared<F> {
    by: F,
    store: Store<Limit>,
    size: Size,
}

impl<F> Keyed<F> {
    pub(super) fn new(by: F, size: Size) -> Self {
        Self { shared: Sharded::new(Shared { by, store: Store::default(), size }) }
    }
}

/// A place for `request`, if it has a limit.
#[inline]
pub(super) fn take<Req>(
    find: &mut impl Find<Req>,
    request: &Req,
) -> Result<Option<Place>, Box<Shed>> {
    match find.find(request).map(Place::take) {
        None => Ok(None),
        Some(Ok(place)) => Ok(Some(place)),
        Some(Err(limit)) => refuse(&limit),
    }
}

#[cold]
fn refuse(limit: &Limit) -> Result<Option<Place>, Box<Shed>> {
    crate::metrics::shed(limit.key.as_ref());
    Err(Box::new(Shed::new(limit)))
}

impl<F: Key<Req>, Req> Find<Req> for Keyed<F> {
    fn find(&mut self, request: &Req) -> Option<Sharded<Limit>> {
        let shared = &self.shared;
        let key = shared.by.key(request)?;
        let make = |key| Limit::new(Some(key), shared.size);
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
