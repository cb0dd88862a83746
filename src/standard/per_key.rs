//! The layers that have state per key.

use std::{fmt, num::NonZeroU32, sync::Arc};

use seawall_core::classify::HttpClassifier;

use crate::{
    circuit_breaker::{CircuitBreakerLayer, CircuitPerKey},
    in_flight::{AdaptiveLimit, InFlightLimitLayer, LimitPerKey},
    keys::UriKey,
    retry::{Budget, RetryLayer},
};

/// The key function, and the layers that have a circuit or a limit per key.
#[derive(Clone)]
pub(crate) struct PerKeyState {
    key_fn: UriKey,
    /// The name of the stack, which is the key of requests without one.
    name: Arc<str>,
    pub(crate) breaker: PerKeyCircuitBreakerLayer,
    has_breaker: bool,
    pub(crate) in_flight: PerKeyLimitLayer,
    has_limit: bool,
}

pub(crate) type PerKeyCircuitBreakerLayer = CircuitBreakerLayer<HttpClassifier, CircuitPerKey>;
type PerKeyLimitLayer = InFlightLimitLayer<LimitPerKey>;

impl PerKeyState {
    /// Creates the default state: circuits, but no limits.
    pub(crate) fn new(key_fn: UriKey, name: &str) -> Self {
        let name = Arc::from(name);
        let breaker = CircuitBreakerLayer::new().with_key(key_or_name(&key_fn, &name, true));
        let in_flight = unlimited().with_key(key_or_name(&key_fn, &name, false));
        Self { key_fn, name, breaker, has_breaker: true, in_flight, has_limit: false }
    }

    /// Replaces the key function and resets all state.
    pub(crate) fn with_key_fn(self, key_fn: UriKey) -> Self {
        let Self { name, breaker, has_breaker, in_flight, has_limit, .. } = self;
        let breaker = breaker.with_key(key_or_name(&key_fn, &name, has_breaker));
        let in_flight = in_flight.with_key(key_or_name(&key_fn, &name, has_limit));
        Self { key_fn, name, breaker, has_breaker, in_flight, has_limit }
    }

    pub(crate) fn set_breaker(self, breaker: Option<CircuitBreakerLayer>) -> Self {
        let has_breaker = breaker.is_some();
        let key = key_or_name(&self.key_fn, &self.name, has_breaker);
        Self { breaker: breaker.unwrap_or_default().with_key(key), has_breaker, ..self }
    }

    pub(crate) fn set_limit(self, in_flight: Option<InFlightLimitLayer>) -> Self {
        let has_limit = in_flight.is_some();
        let key = key_or_name(&self.key_fn, &self.name, has_limit);
        Self { in_flight: in_flight.unwrap_or_else(unlimited).with_key(key), has_limit, ..self }
    }
}

/// Returns the layer for a stack without a limit. Its number has no effect, because the key
/// function is then disabled.
fn unlimited() -> InFlightLimitLayer {
    InFlightLimitLayer::new(NonZeroU32::MIN)
}

/// Returns `key_fn` with `name` as the key of requests without one. If it is not enabled, no
/// request has a key, so the layer does nothing.
fn key_or_name(key_fn: &UriKey, name: &Arc<str>, enabled: bool) -> UriKey {
    key_fn.clone().with_default(Arc::clone(name)).with_enabled(enabled)
}

impl PerKeyState {
    /// Gives each key its own budget, unless the layer has one.
    pub(crate) fn add_default_budget<C, P>(&self, retry: RetryLayer<C, P>) -> RetryLayer<C, P> {
        let retry = retry.default_name(&self.name);
        if retry.is_budget_set() {
            return retry;
        }
        retry.default_budget_per_key(Budget::default(), self.key_fn.clone())
    }
}

impl PerKeyState {
    pub(crate) fn key_fn(&self) -> UriKey {
        self.key_fn.clone()
    }
}

/// Methods that apply the policies of a configuration file.
impl PerKeyState {
    /// Resets all state.
    pub(crate) fn reset(self) -> Self {
        let key_fn = self.key_fn();
        self.with_key_fn(key_fn)
    }

    /// Changes the circuit breaker. Enables it first if it is disabled.
    pub(crate) fn update_breaker(
        self,
        change: impl FnOnce(PerKeyCircuitBreakerLayer) -> PerKeyCircuitBreakerLayer,
    ) -> Self {
        let this = if self.has_breaker { self } else { self.set_breaker(Some(<_>::default())) };
        Self { breaker: change(this.breaker), ..this }
    }

    /// Shares the circuits of `other`, with their state.
    pub(crate) fn share_circuits(self, other: &Self) -> Self {
        Self { breaker: other.breaker.clone(), has_breaker: other.has_breaker, ..self }
    }

    /// Returns the settings of the limits, if there are limits and they are adaptive.
    pub(crate) fn adaptive_limit(&self) -> Option<AdaptiveLimit> {
        self.in_flight.adaptive_settings().filter(|_| self.has_limit)
    }

    /// Shares the limits of `other`, with their counts.
    pub(crate) fn share_limits(self, other: &Self) -> Self {
        Self { in_flight: other.in_flight.clone(), has_limit: other.has_limit, ..self }
    }
}

impl fmt::Debug for PerKeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerKeyState")
            .field("name", &self.name)
            .field("breaker", &self.has_breaker.then_some(&self.breaker))
            .field("in_flight", &self.has_limit.then_some(&self.in_flight))
            .finish_non_exhaustive()
    }
}
