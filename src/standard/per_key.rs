//! The parts that have a state for each key.

use std::{borrow::Cow, fmt, num::NonZeroU32, sync::Arc};

use http::{Request, Uri};
use seawall_core::classify::HttpClassifier;

use crate::{
    circuit_breaker::{self, CircuitBreakerLayer},
    in_flight::{self, InFlightLimitLayer},
    keys::{KeyExtractor, UriKey},
    retry::{Budget, RetryLayer},
};

/// The function that makes keys, and the layers that have a circuit or a limit for each key.
pub(crate) struct PerKeyState<K> {
    key_fn: Arc<K>,
    name: Arc<str>,
    pub(crate) breaker: PerKeyCircuitBreakerLayer<K>,
    has_breaker: bool,
    pub(crate) in_flight: InFlight<K>,
    has_limit: bool,
}

pub(crate) type PerKeyCircuitBreakerLayer<K> =
    CircuitBreakerLayer<HttpClassifier, CircuitPerUriKey<K>>;
type InFlight<K> = InFlightLimitLayer<LimitPerUriKey<K>>;
pub(crate) type CircuitPerUriKey<K> = circuit_breaker::CircuitPerKey<OrDefaultKey<K>>;
pub(crate) type LimitPerUriKey<K> = in_flight::LimitPerKey<OrDefaultKey<K>>;

impl<K> PerKeyState<K> {
    /// With circuits, and without limits.
    pub(crate) fn new(key_fn: K, name: &str) -> Self {
        let (key_fn, name) = (Arc::new(key_fn), Arc::from(name));
        let breaker =
            CircuitBreakerLayer::new().with_key_extractor(or_default_key(&key_fn, &name, true));
        let in_flight = unlimited().with_key_extractor(or_default_key(&key_fn, &name, false));
        Self { key_fn, name, breaker, has_breaker: true, in_flight, has_limit: false }
    }

    /// The same layers with keys made by this, and without any history.
    pub(crate) fn with_key_fn<K2>(self, key_fn: Arc<K2>) -> PerKeyState<K2> {
        let Self { name, breaker, has_breaker, in_flight, has_limit, .. } = self;
        let breaker = breaker.with_key_extractor(or_default_key(&key_fn, &name, has_breaker));
        let in_flight = in_flight.with_key_extractor(or_default_key(&key_fn, &name, has_limit));
        PerKeyState { key_fn, name, breaker, has_breaker, in_flight, has_limit }
    }

    pub(crate) fn set_breaker(self, breaker: Option<CircuitBreakerLayer>) -> Self {
        let has_breaker = breaker.is_some();
        let key_fn = or_default_key(&self.key_fn, &self.name, has_breaker);
        Self {
            breaker: breaker.unwrap_or_default().with_key_extractor(key_fn),
            has_breaker,
            ..self
        }
    }

    pub(crate) fn set_limit(self, in_flight: Option<InFlightLimitLayer>) -> Self {
        let has_limit = in_flight.is_some();
        let key_fn = or_default_key(&self.key_fn, &self.name, has_limit);
        Self {
            in_flight: in_flight.unwrap_or_else(unlimited).with_key_extractor(key_fn),
            has_limit,
            ..self
        }
    }
}

/// A limit for no key, so its number does not matter.
fn unlimited() -> InFlightLimitLayer {
    InFlightLimitLayer::new(NonZeroU32::MIN)
}

fn or_default_key<K>(key_fn: &Arc<K>, name: &Arc<str>, on: bool) -> OrDefaultKey<K> {
    OrDefaultKey { key_fn: Arc::clone(key_fn), name: Arc::clone(name), on }
}

impl<K> PerKeyState<K>
where
    K: UriKey + Send + Sync + 'static,
{
    /// With a budget for each key, if none was chosen.
    pub(crate) fn retry<C, P>(&self, retry: RetryLayer<C, P>) -> RetryLayer<C, P> {
        if retry.has_own_budget() {
            return retry;
        }
        let key_fn = self.key_fn();
        retry.default_budget_per_key(Budget::default(), move |uri| key_fn.key_of(uri))
    }
}

impl<K> PerKeyState<K> {
    pub(crate) fn key_fn(&self) -> Arc<K> {
        Arc::clone(&self.key_fn)
    }
}

/// What the policies of a file need.
impl<K> PerKeyState<K> {
    /// The same parts, without any history.
    pub(crate) fn rebuild(self) -> Self {
        let key_fn = self.key_fn();
        self.with_key_fn(key_fn)
    }

    /// With circuits, by the settings there are, and then by `change`.
    pub(crate) fn map_breaker(
        self,
        change: impl FnOnce(PerKeyCircuitBreakerLayer<K>) -> PerKeyCircuitBreakerLayer<K>,
    ) -> Self {
        let this = if self.has_breaker { self } else { self.set_breaker(Some(<_>::default())) };
        Self { breaker: change(this.breaker), ..this }
    }

    /// With the circuits of `other`, and their history.
    pub(crate) fn share_circuits(self, other: &Self) -> Self {
        Self { breaker: other.breaker.clone(), has_breaker: other.has_breaker, ..self }
    }

    /// The bounds of the limits, if they are adaptive.
    pub(crate) fn adaptive(&self) -> Option<in_flight::AdaptiveLimit> {
        self.in_flight.bounds().filter(|_| self.has_limit)
    }

    /// With the limits of `other`, and the calls under way.
    pub(crate) fn share_limits(self, other: &Self) -> Self {
        Self { in_flight: other.in_flight.clone(), has_limit: other.has_limit, ..self }
    }
}

impl<K> Clone for PerKeyState<K> {
    fn clone(&self) -> Self {
        Self {
            key_fn: Arc::clone(&self.key_fn),
            name: Arc::clone(&self.name),
            breaker: self.breaker.clone(),
            in_flight: self.in_flight.clone(),
            ..*self
        }
    }
}

impl<K> fmt::Debug for PerKeyState<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerKeyState")
            .field("name", &self.name)
            .field("breaker", &self.has_breaker.then_some(&self.breaker))
            .field("in_flight", &self.has_limit.then_some(&self.in_flight))
            .finish_non_exhaustive()
    }
}

/// A key made of the URI of an HTTP request, or a name of its own for those of which none can be made.
pub struct OrDefaultKey<F> {
    key_fn: Arc<F>,
    name: Arc<str>,
    /// Off: there are no keys at all.
    on: bool,
}

impl<F> Clone for OrDefaultKey<F> {
    fn clone(&self) -> Self {
        Self { key_fn: Arc::clone(&self.key_fn), name: Arc::clone(&self.name), on: self.on }
    }
}

impl<F> fmt::Debug for OrDefaultKey<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OrDefaultKey").field(&self.name).finish()
    }
}

impl<F: UriKey> OrDefaultKey<F> {
    #[inline]
    fn of<'a>(&'a self, uri: &'a Uri) -> Option<Cow<'a, str>> {
        self.on.then(|| self.key_fn.key_of(uri).unwrap_or(Cow::Borrowed(&self.name)))
    }
}

impl<F: UriKey, B> KeyExtractor<Request<B>> for OrDefaultKey<F> {
    #[inline]
    fn key<'a>(&'a self, request: &'a Request<B>) -> Option<Cow<'a, str>> {
        self.of(request.uri())
    }
}
