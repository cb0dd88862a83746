//! Selects the circuit of a request.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::time::Instant;

use super::{circuit::CircuitInner, settings::Settings};
use crate::{
    keys::{BoundedMap, KeyExtractor, MAX_KEYS},
    sharded_arc::ShardedArc,
};

/// Holds the circuits of a layer.
pub trait RebuildCircuits {
    /// Returns the same selection with new circuits.
    fn rebuild(&self, settings: &Arc<Settings>) -> Self;
}

/// Finds the circuit of a request.
pub trait CircuitSelector<Req>: RebuildCircuits {
    /// Returns `None` if the request has no circuit.
    fn find(&self, request: &Req) -> Option<ShardedArc<CircuitInner>>;

    /// Returns the circuit if it is the same for every request.
    fn shared_circuit(&self) -> Option<&ShardedArc<CircuitInner>>;
}

/// One circuit for all requests.
#[derive(Clone, Debug)]
pub struct SharedCircuit {
    pub(super) circuit: ShardedArc<CircuitInner>,
}

impl SharedCircuit {
    pub(super) fn new(name: Option<Arc<str>>, settings: &Arc<Settings>) -> Self {
        Self {
            circuit: ShardedArc::new(CircuitInner::new(name, Arc::clone(settings), Instant::now())),
        }
    }
}

impl RebuildCircuits for SharedCircuit {
    fn rebuild(&self, settings: &Arc<Settings>) -> Self {
        Self::new(self.circuit.key.clone(), settings)
    }
}

impl<Req> CircuitSelector<Req> for SharedCircuit {
    fn find(&self, _request: &Req) -> Option<ShardedArc<CircuitInner>> {
        Some(self.circuit.clone())
    }

    fn shared_circuit(&self) -> Option<&ShardedArc<CircuitInner>> {
        Some(&self.circuit)
    }
}

/// A circuit for each key.
pub struct CircuitPerKey<F> {
    inner: ShardedArc<Inner<F>>,
}

/// Behind one pointer, since a service is cloned for each call that may be retried.
struct Inner<F> {
    key_extractor: Arc<F>,
    store: Arc<BoundedMap<CircuitInner>>,
    settings: Arc<Settings>,
    /// An event has reported that there were too many keys, or that one was too long.
    overflow_reported: AtomicBool,
}

impl<F> CircuitPerKey<F> {
    pub(super) fn new(key_extractor: F, settings: &Arc<Settings>) -> Self {
        Self::from_extractor(Arc::new(key_extractor), settings)
    }

    fn from_extractor(key_extractor: Arc<F>, settings: &Arc<Settings>) -> Self {
        let settings = Arc::clone(settings);
        let (store, overflow_reported) = (Arc::default(), AtomicBool::new(false));
        Self { inner: ShardedArc::new(Inner { key_extractor, store, settings, overflow_reported }) }
    }

    pub(super) fn store(&self) -> Arc<BoundedMap<CircuitInner>> {
        Arc::clone(&self.inner.store)
    }
}

impl<F> Inner<F> {
    fn report_overflow(&self) {
        crate::metrics::record_untracked_key("circuit_breaker");
        if !self.overflow_reported.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                name: "circuits",
                max_keys = MAX_KEYS,
                "too many keys, or one too long: calls of further ones pass, and are not counted",
            );
        }
    }
}

impl<F> RebuildCircuits for CircuitPerKey<F> {
    fn rebuild(&self, settings: &Arc<Settings>) -> Self {
        Self::from_extractor(Arc::clone(&self.inner.key_extractor), settings)
    }
}

impl<F: KeyExtractor<Req>, Req> CircuitSelector<Req> for CircuitPerKey<F> {
    fn find(&self, request: &Req) -> Option<ShardedArc<CircuitInner>> {
        let inner = &self.inner;
        let key = inner.key_extractor.key(request)?;
        let found = inner.store.get(&key, Instant::now, |key| {
            CircuitInner::new(Some(key), Arc::clone(&inner.settings), Instant::now())
        });
        if found.is_none() {
            inner.report_overflow();
        }
        found
    }

    fn shared_circuit(&self) -> Option<&ShardedArc<CircuitInner>> {
        None
    }
}

impl<F> Clone for CircuitPerKey<F> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<F> fmt::Debug for CircuitPerKey<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitPerKey").field("store", &self.inner.store).finish_non_exhaustive()
    }
}
