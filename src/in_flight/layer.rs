use std::{borrow::Cow, marker::PhantomData, num::NonZeroU32};

use http::Uri;
use tower_layer::Layer;

use super::{
    InFlightLimit,
    adaptive::AdaptiveLimit,
    limit::{Kind, Limit},
    selector::{LimitPerKey, SharedLimit},
};
use crate::{
    body::{CompleteOnBodyEnd, CompleteOnResponse},
    keys::{RequestKey, UriKey},
    sharded_arc::ShardedArc,
};

/// A layer that applies [`InFlightLimit`]. The [module docs](super) have the rules and an example.
#[doc(alias = "Bulkhead")]
#[doc(alias = "ConcurrencyLimiter")]
#[doc(alias = "ConcurrencyLimit")]
#[derive(Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct InFlightLimitLayer<K = SharedLimit, Completion = CompleteOnBodyEnd> {
    selector: K,
    kind: Kind,
    completion: PhantomData<fn() -> Completion>,
}

impl InFlightLimitLayer {
    /// Creates a layer that limits all requests together to `max` calls in flight. For several
    /// upstreams, use [`per_key`](Self::per_key).
    pub fn new(max: NonZeroU32) -> Self {
        Self::with_kind(Kind::Fixed(max))
    }

    /// Creates a layer whose limit adapts to the latency of the upstream. Use it if the right limit
    /// is unknown or changes.
    ///
    /// [`AdaptiveLimit`] has the rules and the bounds.
    pub fn adaptive(adaptive: AdaptiveLimit) -> Self {
        Self::with_kind(Kind::Adaptive(adaptive))
    }

    fn with_kind(kind: Kind) -> Self {
        let limit = ShardedArc::new(Limit::new(None, kind));
        Self { selector: SharedLimit { limit }, kind, completion: PhantomData }
    }
}

impl<Completion> InFlightLimitLayer<SharedLimit, Completion> {
    /// Returns the current number of calls in flight.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.selector.limit.in_flight()
    }

    /// Returns the current limit.
    #[must_use]
    pub fn limit(&self) -> NonZeroU32 {
        self.selector.limit.max()
    }
}

impl<K, Completion> InFlightLimitLayer<K, Completion> {
    /// Creates a limit for each key, with the same settings.
    /// [`by_authority`](crate::keys::by_authority) keys by host and port. Requests for which
    /// `key_fn` returns `None` pass, and have no limit.
    ///
    /// At most 4,096 keys have a limit. A limit without a call in flight can be evicted to make
    /// room for another. Requests with further keys, or with keys above 1,024 bytes, pass and have
    /// no limit.
    pub fn per_key(
        self,
        key_fn: impl for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> InFlightLimitLayer<LimitPerKey, Completion> {
        self.with_key(UriKey::new(key_fn))
    }

    /// Creates a limit for each key, as [`per_key`](Self::per_key) does, but `key_fn` receives the
    /// whole request. The request may have any type.
    pub fn per_request_key<Req>(
        self,
        key_fn: impl for<'a> Fn(&'a Req) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> InFlightLimitLayer<LimitPerKey<RequestKey<Req>>, Completion> {
        self.with_key(RequestKey::new(key_fn))
    }

    pub(crate) fn with_key<K2>(
        self,
        key_extractor: K2,
    ) -> InFlightLimitLayer<LimitPerKey<K2>, Completion> {
        let Self { kind, completion, .. } = self;
        InFlightLimitLayer { selector: LimitPerKey::new(key_extractor, kind), kind, completion }
    }

    /// Releases the permit of a call when the response arrives. By default, the permit is released
    /// when the response body ends. Use this setter for services that are not HTTP, and for small
    /// bodies.
    pub fn until_response(self) -> InFlightLimitLayer<K, CompleteOnResponse> {
        let Self { selector, kind, .. } = self;
        InFlightLimitLayer { selector, kind, completion: PhantomData }
    }
}

impl<K, Completion> InFlightLimitLayer<K, Completion> {
    /// Returns the settings of an adaptive limit. `None` if the limit is fixed.
    pub(crate) const fn adaptive_settings(&self) -> Option<AdaptiveLimit> {
        match self.kind {
            Kind::Adaptive(settings) => Some(settings),
            Kind::Fixed(_) => None,
        }
    }
}

impl<K: Clone, Completion> Clone for InFlightLimitLayer<K, Completion> {
    fn clone(&self) -> Self {
        Self { selector: self.selector.clone(), kind: self.kind, completion: PhantomData }
    }
}

impl<S: Clone, K: Clone, Completion> Layer<S> for InFlightLimitLayer<K, Completion> {
    type Service = InFlightLimit<S, K, Completion>;

    fn layer(&self, inner: S) -> Self::Service {
        InFlightLimit { inner, selector: self.selector.clone(), completion: PhantomData }
    }
}
