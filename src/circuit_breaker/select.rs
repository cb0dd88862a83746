//! Which circuit a request belongs to.

use std::{fmt, sync::Arc};

use tokio::time::Instant;

use super::{circuit::Core, settings::Settings};
use crate::keys::{Key, Store};

/// Where the circuits of a layer are.
pub trait Select {
    /// The same, without any history.
    fn anew(&self, settings: &Arc<Settings>) -> Self;
}

/// Finds the circuit of a request.
pub trait Find<Req>: Select {
    /// `None`: the request belongs to none.
    fn find(&self, request: &Req) -> Option<Arc<Core>>;

    /// The circuit, if it is the same for every request.
    fn only(&self) -> Option<&Arc<Core>>;
}

/// One circuit for all requests.
#[derive(Clone, Debug)]
pub struct Single {
    pub(super) core: Arc<Core>,
}

impl Single {
    pub(super) fn new(settings: &Arc<Settings>) -> Self {
        Self { core: Arc::new(Core::new(None, Arc::clone(settings), Instant::now())) }
    }
}

impl Select for Single {
    fn anew(&self, settings: &Arc<Settings>) -> Self {
        Self::new(settings)
    }
}

impl<Req> Find<Req> for Single {
    #[inline]
    fn find(&self, _request: &Req) -> Option<Arc<Core>> {
        Some(Arc::clone(&self.core))
    }

    #[inline]
    fn only(&self) -> Option<&Arc<Core>> {
        Some(&self.core)
    }
}

/// A circuit for each key.
pub struct Keyed<F> {
    by: Arc<F>,
    pub(super) store: Arc<Store<Core>>,
    settings: Arc<Settings>,
}

impl<F> Keyed<F> {
    pub(super) fn new(by: F, settings: &Arc<Settings>) -> Self {
        Self { by: Arc::new(by), store: Arc::default(), settings: Arc::clone(settings) }
    }
}

impl<F> Select for Keyed<F> {
    fn anew(&self, settings: &Arc<Settings>) -> Self {
        Self { by: Arc::clone(&self.by), store: Arc::default(), settings: Arc::clone(settings) }
    }
}

impl<F: Key<Req>, Req> Find<Req> for Keyed<F> {
    fn find(&self, request: &Req) -> Option<Arc<Core>> {
        let key = self.by.key(request)?;
        self.store.get(&key, Instant::now, |key| {
            Core::new(Some(key), Arc::clone(&self.settings), Instant::now())
        })
    }

    fn only(&self) -> Option<&Arc<Core>> {
        None
    }
}

impl<F> Clone for Keyed<F> {
    fn clone(&self) -> Self {
        let Self { by, store, settings } = self;
        Self { by: Arc::clone(by), store: Arc::clone(store), settings: Arc::clone(settings) }
    }
}

impl<F> fmt::Debug for Keyed<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed").field("store", &self.store).finish_non_exhaustive()
    }
}
