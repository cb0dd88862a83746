//! Selects the circuit of a request.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::time::Instant;

use super::{circuit::CircuitInner, settings::Settings};
use crate::{
    keys::{BoundedMap, KeyExtractor, MAX_KEYS, UriKey},
    sharded_arc::ShardedArc,
};

/// Holds the circuits of a layer.
pub trait ConfigureCircuits {
    /// Returns the same selection with other settings.
    ///
    /// Circuits that are in use keep their settings, and the returned selection has new ones.
    fn configure(&self, settings: &Arc<Settings>) -> Self;

    /// Fixes the settings, because a service or a second layer is about to share the circuits.
    fn mark_in_use(&self);
}

/// Finds the circuit of a request.
pub trait CircuitSelector<Req>: ConfigureCircuits {
    /// Returns `None` if the request has no circuit.
    fn find(&self, request: &Req) -> Option<ShardedArc<CircuitInner>>;

    /// Returns the circuit if it is the same for every request.
    fn shared_circuit(&self) -> Option<&ShardedArc<CircuitInner>>;
}

/// One circuit for all requests of a layer: the default.
#[derive(Clone, Debug)]
pub struct SharedCircuit {
    circuit: ShardedArc<LazyCircuit>,
}

/// A circuit that is created by its first use, so that a handle follows the setters after it.
#[derive(Debug)]
pub(super) struct LazyCircuit {
    identity: Mutex<Identity>,
    circuit: OnceLock<ShardedArc<CircuitInner>>,
}

#[derive(Debug)]
struct Identity {
    name: Option<Arc<str>>,
    settings: Arc<Settings>,
}

impl LazyCircuit {
    pub(super) fn get(&self) -> &ShardedArc<CircuitInner> {
        self.circuit.get_or_init(|| {
            let identity = self.identity();
            let (name, settings) = (identity.name.clone(), Arc::clone(&identity.settings));
            ShardedArc::new(CircuitInner::new(name, settings, Instant::now()))
        })
    }

    fn identity(&self) -> MutexGuard<'_, Identity> {
        self.identity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedCircuit {
    pub(super) fn new(name: Option<Arc<str>>, settings: Arc<Settings>) -> Self {
        Self {
            circuit: ShardedArc::new(LazyCircuit {
                identity: Mutex::new(Identity { name, settings }),
                circuit: OnceLock::new(),
            }),
        }
    }

    /// Returns the same circuit with another name, or a new one if the circuit is in use.
    pub(super) fn named(&self, name: Arc<str>) -> Self {
        self.change(|identity| identity.name = Some(name))
    }

    pub(super) fn lazy(&self) -> ShardedArc<LazyCircuit> {
        self.circuit.clone()
    }

    fn change(&self, change: impl FnOnce(&mut Identity)) -> Self {
        let mut identity = self.circuit.identity();
        if self.circuit.circuit.get().is_none() {
            change(&mut identity);
            return self.clone();
        }
        let (name, settings) = (identity.name.clone(), Arc::clone(&identity.settings));
        let mut identity = Identity { name, settings };
        change(&mut identity);
        Self::new(identity.name, identity.settings)
    }
}

impl ConfigureCircuits for SharedCircuit {
    fn configure(&self, settings: &Arc<Settings>) -> Self {
        self.change(|identity| identity.settings = Arc::clone(settings))
    }

    fn mark_in_use(&self) {
        self.circuit.get();
    }
}

impl<Req> CircuitSelector<Req> for SharedCircuit {
    fn find(&self, _request: &Req) -> Option<ShardedArc<CircuitInner>> {
        Some(self.circuit.get().clone())
    }

    fn shared_circuit(&self) -> Option<&ShardedArc<CircuitInner>> {
        Some(self.circuit.get())
    }
}

/// One circuit for each key: of the URI with [`UriKey`], of a request of another type with
/// [`RequestKey`](crate::keys::RequestKey).
pub struct CircuitPerKey<K = UriKey> {
    inner: ShardedArc<Inner<K>>,
}

/// Behind one pointer, because a service is cloned for each call that may be retried.
struct Inner<K> {
    key: K,
    store: Arc<Store>,
    settings: Arc<Settings>,
}

#[derive(Default)]
struct Store {
    circuits: Arc<BoundedMap<CircuitInner>>,
    /// True after a service or a second layer has shared the circuits.
    in_use: AtomicBool,
    /// True after an event has reported a key without a circuit.
    overflow_reported: AtomicBool,
}

impl<K> CircuitPerKey<K> {
    pub(super) fn new(key: K, settings: &Arc<Settings>) -> Self {
        Self::with_store(key, Arc::default(), settings)
    }

    fn with_store(key: K, store: Arc<Store>, settings: &Arc<Settings>) -> Self {
        Self { inner: ShardedArc::new(Inner { key, store, settings: Arc::clone(settings) }) }
    }

    pub(super) fn store(&self) -> Arc<BoundedMap<CircuitInner>> {
        Arc::clone(&self.inner.store.circuits)
    }
}

impl Store {
    fn report_overflow(&self) {
        crate::metrics::record_untracked_key("circuit_breaker");
        if !self.overflow_reported.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                name: "circuits",
                max_keys = MAX_KEYS,
                "too many keys, or a key too long: calls with further keys pass and do not count",
            );
        }
    }
}

impl<K: Clone> ConfigureCircuits for CircuitPerKey<K> {
    fn configure(&self, settings: &Arc<Settings>) -> Self {
        let Inner { key, store, .. } = &*self.inner;
        let in_use = store.in_use.load(Ordering::Acquire);
        let store = if in_use { Arc::default() } else { Arc::clone(store) };
        Self::with_store(key.clone(), store, settings)
    }

    fn mark_in_use(&self) {
        self.inner.store.in_use.store(true, Ordering::Release);
    }
}

impl<K: KeyExtractor<Req> + Clone, Req> CircuitSelector<Req> for CircuitPerKey<K> {
    fn find(&self, request: &Req) -> Option<ShardedArc<CircuitInner>> {
        let Inner { key, store, settings } = &*self.inner;
        let key = key.key(request)?;
        let found = store.circuits.get(&key, Instant::now, |key| {
            CircuitInner::new(Some(key), Arc::clone(settings), Instant::now())
        });
        if found.is_none() {
            store.report_overflow();
        }
        found
    }

    fn shared_circuit(&self) -> Option<&ShardedArc<CircuitInner>> {
        None
    }
}

impl<K> Clone for CircuitPerKey<K> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<K> fmt::Debug for CircuitPerKey<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitPerKey")
            .field("store", &self.inner.store.circuits)
            .finish_non_exhaustive()
    }
}
