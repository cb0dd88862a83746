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
    keys::{RequestKeyFn, UriKeyFn},
    sharded_arc::ShardedArc,
};

/// Applies [`InFlightLimit`]. See the [module docs](super) for what it does and an example.
#[doc(alias = "Bulkhead")]
#[doc(alias = "ConcurrencyLimiter")]
#[doc(alias = "ConcurrencyLimit")]
#[derive(Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct InFlightLimitLayer<K = SharedLimit, E = CompleteOnBodyEnd> {
    selector: K,
    kind: Kind,
    completion: PhantomData<fn() -> E>,
}

impl InFlightLimitLayer {
    /// At most `most` calls at once, for all requests together. [`per_key`](Self::per_key) for several upstreams.
    pub fn new(most: NonZeroU32) -> Self {
        Self::of(Kind::Fixed(most))
    }

    /// As many calls at once as the upstream answers without a queue, found by how long it takes: for who does not know the
    /// number, or where it changes. See [`AdaptiveLimit`] for how, and for its bounds.
    pub fn adaptive(adaptive: AdaptiveLimit) -> Self {
        Self::of(Kind::Adaptive(adaptive))
    }

    fn of(kind: Kind) -> Self {
        let limit = ShardedArc::new(Limit::new(None, kind));
        Self { selector: SharedLimit { limit }, kind, completion: PhantomData }
    }
}

impl<E> InFlightLimitLayer<SharedLimit, E> {
    /// How many calls are under way at this moment.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.selector.limit.in_flight()
    }

    /// How many calls may be under way at this moment.
    #[must_use]
    pub fn limit(&self) -> NonZeroU32 {
        self.selector.limit.max()
    }
}

impl<K, E> InFlightLimitLayer<K, E> {
    /// Gives every key a limit of its own, of the same number or the same kind. [`by_authority`](super::by_authority) keys by host and
    /// port. Requests for which `key_fn` gives `None` pass, and have no limit.
    ///
    /// At most 4,096 keys have one; those without a call under way make room for others. Requests of further keys, and
    /// of those longer than 1,024 bytes, pass, and have no limit.
    pub fn per_key<F>(self, key_fn: F) -> InFlightLimitLayer<LimitPerKey<UriKeyFn<F>>, E>
    where
        F: for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>>,
    {
        self.with_key_extractor(UriKeyFn(key_fn))
    }

    /// As [`per_key`](Self::per_key), by the whole of a request, of whatever kind.
    pub fn per_request_key<F, Req>(
        self,
        key_fn: F,
    ) -> InFlightLimitLayer<LimitPerKey<RequestKeyFn<F>>, E>
    where
        F: for<'a> Fn(&'a Req) -> Option<Cow<'a, str>>,
    {
        self.with_key_extractor(RequestKeyFn(key_fn))
    }

    pub(crate) fn with_key_extractor<F>(
        self,
        key_extractor: F,
    ) -> InFlightLimitLayer<LimitPerKey<F>, E> {
        let Self { kind, completion, .. } = self;
        InFlightLimitLayer { selector: LimitPerKey::new(key_extractor, kind), kind, completion }
    }

    /// A call is under way until its response is there, and not until the body of that ends: for services that are not
    /// HTTP, and where bodies are small.
    pub fn until_response(self) -> InFlightLimitLayer<K, CompleteOnResponse> {
        let Self { selector, kind, .. } = self;
        InFlightLimitLayer { selector, kind, completion: PhantomData }
    }
}

impl<K, E> InFlightLimitLayer<K, E> {
    /// Those of the limit; `None`: it is a fixed one.
    pub(crate) const fn bounds(&self) -> Option<AdaptiveLimit> {
        match self.kind {
            Kind::Adaptive(bounds) => Some(bounds),
            Kind::Fixed(_) => None,
        }
    }
}

impl<K: Clone, E> Clone for InFlightLimitLayer<K, E> {
    fn clone(&self) -> Self {
        Self { selector: self.selector.clone(), kind: self.kind, completion: PhantomData }
    }
}

impl<S: Clone, K: Clone, E> Layer<S> for InFlightLimitLayer<K, E> {
    type Service = InFlightLimit<S, K, E>;

    fn layer(&self, inner: S) -> Self::Service {
        InFlightLimit { inner, selector: self.selector.clone(), completion: PhantomData }
    }
}
