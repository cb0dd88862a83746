//! Which circuit a request belongs to.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

#[cfg(feature = "standard")]
use http::Uri;
use tokio::time::Instant;

#[cfg(feature = "standard")]
use super::permit::Permit;
use super::{circuit::Core, settings::Settings};
use crate::keys::{KEYS_MAX, Key, Last, Store};
#[cfg(feature = "standard")]
use crate::keys::{KeyOf, Named};

/// Where the circuits of a layer are.
pub trait Select {
    /// The same, without any history.
    fn anew(&self, settings: &Arc<Settings>) -> Self;
}

/// Finds the circuit of a request.
pub trait Find<Req>: Select {
    /// `None`: the request belongs to none.
    fn find(&mut self, request: &Req) -> Option<Arc<Core>>;

    /// The circuit, if it is the same for every request.
    fn only(&self) -> Option<&Arc<Core>>;
}

/// One circuit for all requests.
#[derive(Clone, Debug)]
pub struct Single {
    pub(super) core: Arc<Core>,
}

impl Single {
    pub(super) fn new(name: Option<Arc<str>>, settings: &Arc<Settings>) -> Self {
        Self { core: Arc::new(Core::new(name, Arc::clone(settings), Instant::now())) }
    }
}

impl Select for Single {
    fn anew(&self, settings: &Arc<Settings>) -> Self {
        Self::new(self.core.key.clone(), settings)
    }
}

impl<Req> Find<Req> for Single {
    #[inline]
    fn find(&mut self, _request: &Req) -> Option<Arc<Core>> {
        Some(Arc::clone(&self.core))
    }

    #[inline]
    fn only(&self) -> Option<&Arc<Core>> {
        Some(&self.core)
    }
}

/// A circuit for each key.
pub struct Keyed<F> {
    shared: Arc<Shared<F>>,
    last: Last<Core>,
}

/// In one place, since a service is cloned for each call that may be retried.
struct Shared<F> {
    by: Arc<F>,
    store: Arc<Store<Core>>,
    settings: Arc<Settings>,
    /// There were too many keys, or one was too long, and it was said so.
    overflowed: AtomicBool,
}

impl<F> Keyed<F> {
    pub(super) fn new(by: F, settings: &Arc<Settings>) -> Self {
        Self::with(Arc::new(by), settings)
    }

    fn with(by: Arc<F>, settings: &Arc<Settings>) -> Self {
        let settings = Arc::clone(settings);
        let (store, overflowed) = (Arc::default(), AtomicBool::new(false));
        let shared = Arc::new(Shared { by, store, settings, overflowed });
        Self { shared, last: Last::default() }
    }

    pub(super) fn store(&self) -> Arc<Store<Core>> {
        Arc::clone(&self.shared.store)
    }
}

#[cfg(feature = "standard")]
impl<F> Keyed<Named<F>> {
    /// The permit of a call, to be admitted yet. `again`: its key is known to be the last one.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "most calls need no more than the last one")]
    pub(crate) fn permit<Req>(&mut self, request: &Req, again: bool) -> Permit
    where
        Named<F>: Key<Req>,
    {
        let found = self.last.again(again);
        Permit::of(if found.is_some() { found } else { self.find(request) })
    }

    /// Whether `uri` has the last key here, if that is [plain](Self::plain_key).
    #[inline]
    pub(crate) fn is_spelled(&self, uri: &Uri) -> bool
    where
        F: KeyOf,
    {
        self.shared.by.by.is_spelled(uri, self.last.key())
    }

    /// The last key here, if each request spelled like it has that one.
    pub(crate) fn plain_key(&self) -> Option<&str>
    where
        F: KeyOf,
    {
        let Named { by, name, on } = &*self.shared.by;
        // The name is no key that was made: a host may be spelled like it, and have another.
        Some(self.last.key())
            .filter(|key| *on && !key.is_empty() && by.is_plain(key) && *key != &**name)
    }
}

impl<F> Shared<F> {
    #[cold]
    fn overflow(&self) {
        #[cfg(feature = "metrics")]
        crate::metrics::overflow("circuit_breaker");
        if !self.overflowed.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                name: "circuits",
                most = KEYS_MAX,
                "too many keys, or one too long: calls of further ones pass, and are not counted",
            );
        }
    }
}

impl<F> Select for Keyed<F> {
    fn anew(&self, settings: &Arc<Settings>) -> Self {
        Self::with(Arc::clone(&self.shared.by), settings)
    }
}

impl<F: Key<Req>, Req> Find<Req> for Keyed<F> {
    #[inline]
    fn find(&mut self, request: &Req) -> Option<Arc<Core>> {
        let Self { shared, last } = self;
        if let Some(found) = last.again(shared.by.is_surely(request, last.key())) {
            return Some(found);
        }
        let key = shared.by.key(request)?;
        let found = last.get(&shared.store, &key, Instant::now, |key| {
            Core::new(Some(key), Arc::clone(&shared.settings), Instant::now())
        });
        if found.is_none() {
            shared.overflow();
        }
        found
    }

    fn only(&self) -> Option<&Arc<Core>> {
        None
    }
}

impl<F> Clone for Keyed<F> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), last: self.last.clone() }
    }
}

impl<F> fmt::Debug for Keyed<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed").field("store", &self.shared.store).finish_non_exhaustive()
    }
}
