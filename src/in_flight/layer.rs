use std::{borrow::Cow, marker::PhantomData, num::NonZeroU32, time::Duration};

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
    unread_timeout: Duration,
    completion: PhantomData<fn() -> Completion>,
}

const UNREAD_TIMEOUT: Duration = Duration::from_secs(60);

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
        let selector = SharedLimit { limit };
        Self { selector, kind, unread_timeout: UNREAD_TIMEOUT, completion: PhantomData }
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
        let Self { kind, unread_timeout, completion, .. } = self;
        let selector = LimitPerKey::new(key_extractor, kind);
        InFlightLimitLayer { selector, kind, unread_timeout, completion }
    }

    /// Releases the permit of a call when the response arrives. By default, the permit is released
    /// when the response body ends. Use this setter for services that are not HTTP, and for small
    /// bodies.
    pub fn until_response(self) -> InFlightLimitLayer<K, CompleteOnResponse> {
        let Self { selector, kind, unread_timeout, .. } = self;
        InFlightLimitLayer { selector, kind, unread_timeout, completion: PhantomData }
    }

    /// Sets the time after which a caller that does not read its response loses the permit of its
    /// call, once the limit is reached. Default: 60 s. [`Duration::MAX`] is no limit. In
    /// `StandardLayer`, at most the timeout between two frames of a body.
    ///
    /// The time counts while the next step is the caller's, not while it waits for a frame. It is
    /// measured in periods, so a permit may be released after up to twice that time. The call
    /// continues and does not count any more. Affects services that are made afterwards.
    pub const fn unread_timeout(mut self, timeout: Duration) -> Self {
        self.unread_timeout = timeout;
        self
    }

    #[cfg_attr(not(feature = "standard"), allow(dead_code))]
    pub(crate) fn unread_timeout_at_most(self, max: Duration) -> Self {
        let timeout = self.unread_timeout.min(max);
        self.unread_timeout(timeout)
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
        let Self { kind, unread_timeout, completion, .. } = *self;
        Self { selector: self.selector.clone(), kind, unread_timeout, completion }
    }
}

impl<S: Clone, K: Clone, Completion> Layer<S> for InFlightLimitLayer<K, Completion> {
    type Service = InFlightLimit<S, K, Completion>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self { unread_timeout, completion, .. } = *self;
        InFlightLimit { inner, selector: self.selector.clone(), unread_timeout, completion }
    }
}
