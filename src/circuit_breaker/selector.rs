//! Selects the circuit of a request.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::time::Instant;

use super::{circuit::CircuitInner, settings::Settings};
use crate::{
    keys::{BoundedMap, KeyExtractor, MAX_KEYS, UriKey},
    sharded_arc::ShardedArc,
    sync::{Mutex, lock},
    time_limit::BodyWait,
};

/// The circuits of a layer, whose settings can change until they are in use.
pub trait ConfigureCircuits {
    /// Returns a selector with other settings.
    ///
    /// Circuits that are in use keep their settings, and the returned selector creates others.
    fn configure(&self, settings: &Arc<Settings>) -> Self;

    /// Marks the circuits as in use, which fixes their settings. Called before a service or a
    /// second layer shares them.
    fn mark_in_use(&self);
}

/// Finds the circuit of a request.
pub trait CircuitSelector<Req>: ConfigureCircuits {
    /// Returns `None` if the request has no circuit.
    fn find(&self, request: &Req) -> Option<ShardedArc<CircuitInner>>;

    /// Returns the circuit if it is the same for every request.
    fn shared_circuit(&self) -> Option<&ShardedArc<CircuitInner>>;

    /// Returns the waits for the request body, if they are known.
    fn body_wait(&self, _request: &Req) -> Option<BodyWait> {
        None
    }
}

/// One circuit for all requests of a layer. This is the default.
#[derive(Clone, Debug)]
pub struct SharedCircuit {
    lazy: ShardedArc<LazyCircuit>,
}

/// A circuit that is created by its first use. A handle that was returned before a setter therefore
/// refers to the circuit with that setting.
#[derive(Debug)]
pub(super) struct LazyCircuit {
    config: Mutex<CircuitConfig>,
    circuit: OnceLock<ShardedArc<CircuitInner>>,
}

/// The name and the settings of a circuit that is not created yet.
#[derive(Clone, Debug)]
struct CircuitConfig {
    name: Option<Arc<str>>,
    settings: Arc<Settings>,
}

impl LazyCircuit {
    pub(super) fn get(&self) -> &ShardedArc<CircuitInner> {
        if let Some(circuit) = self.circuit.get() {
            return circuit;
        }
        // Held until the circuit is set, so that no setter changes the settings in between.
        let config = lock(&self.config);
        self.circuit.get_or_init(|| {
            let CircuitConfig { name, settings } = config.clone();
            ShardedArc::new(CircuitInner::new(name, settings, Instant::now()))
        })
    }
}

impl SharedCircuit {
    pub(super) fn new(name: Option<Arc<str>>, settings: Arc<Settings>) -> Self {
        Self {
            lazy: ShardedArc::new(LazyCircuit {
                config: Mutex::new(CircuitConfig { name, settings }),
                circuit: OnceLock::new(),
            }),
        }
    }

    /// Returns the same circuit with another name, or a new one if the circuit is in use.
    pub(super) fn named(&self, name: Arc<str>) -> Self {
        self.reconfigure(|config| config.name = Some(name))
    }

    pub(super) fn lazy_circuit(&self) -> ShardedArc<LazyCircuit> {
        self.lazy.clone()
    }

    fn reconfigure(&self, change: impl FnOnce(&mut CircuitConfig)) -> Self {
        let mut config = lock(&self.lazy.config);
        if self.lazy.circuit.get().is_none() {
            change(&mut config);
            return self.clone();
        }
        let mut new_config = config.clone();
        change(&mut new_config);
        Self::new(new_config.name, new_config.settings)
    }
}

impl ConfigureCircuits for SharedCircuit {
    fn configure(&self, settings: &Arc<Settings>) -> Self {
        self.reconfigure(|config| config.settings = Arc::clone(settings))
    }

    fn mark_in_use(&self) {
        self.lazy.get();
    }
}

impl<Req> CircuitSelector<Req> for SharedCircuit {
    fn find(&self, _request: &Req) -> Option<ShardedArc<CircuitInner>> {
        Some(self.lazy.get().clone())
    }

    fn shared_circuit(&self) -> Option<&ShardedArc<CircuitInner>> {
        Some(self.lazy.get())
    }
}

/// One circuit for each key. [`UriKey`] returns the key of an HTTP request's URI, and
/// [`RequestKey`](crate::keys::RequestKey) the key of a request of any type.
pub struct CircuitPerKey<K = UriKey> {
    inner: ShardedArc<Inner<K>>,
}

/// The fields are behind one pointer, because a service is cloned for each call that may be
/// retried.
struct Inner<K> {
    key_extractor: K,
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
    pub(super) fn new(key_extractor: K, settings: &Arc<Settings>) -> Self {
        Self::with_store(key_extractor, Arc::default(), settings)
    }

    fn with_store(key_extractor: K, store: Arc<Store>, settings: &Arc<Settings>) -> Self {
        let settings = Arc::clone(settings);
        Self { inner: ShardedArc::new(Inner { key_extractor, store, settings }) }
    }

    pub(super) fn circuits(&self) -> Arc<BoundedMap<CircuitInner>> {
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
                "too many keys, or key too long: calls without a circuit pass and do not count",
            );
        }
    }
}

impl<K: Clone> ConfigureCircuits for CircuitPerKey<K> {
    fn configure(&self, settings: &Arc<Settings>) -> Self {
        let Inner { key_extractor, store, .. } = &*self.inner;
        let in_use = store.in_use.load(Ordering::Acquire);
        let store = if in_use { Arc::default() } else { Arc::clone(store) };
        Self::with_store(key_extractor.clone(), store, settings)
    }

    fn mark_in_use(&self) {
        self.inner.store.in_use.store(true, Ordering::Release);
    }
}

impl<K: KeyExtractor<Req> + Clone, Req> CircuitSelector<Req> for CircuitPerKey<K> {
    fn find(&self, request: &Req) -> Option<ShardedArc<CircuitInner>> {
        let Inner { key_extractor, store, settings } = &*self.inner;
        let key = key_extractor.key(request)?;
        let found = store.circuits.get_or_create(&key, Instant::now, |key| {
            CircuitInner::new(Some(key), Arc::clone(settings), Instant::now())
        });
        if found.is_none() {
            store.report_overflow();
        }
        found
    }

    fn body_wait(&self, request: &Req) -> Option<BodyWait> {
        self.inner.key_extractor.body_wait(request)
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
            .field("circuits", &self.inner.store.circuits)
            .finish_non_exhaustive()
    }
}
