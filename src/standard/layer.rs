use std::{borrow::Cow, sync::Arc};

use http::Uri;
use seawall_core::classify::HttpClassifier;

use super::{ByAuthority, Client, Timeouts, per_key::PerKeyState};
use crate::{
    bad_gateway::BadGatewayClassifierLayer,
    circuit_breaker::{CircuitBreakerLayer, Circuits},
    deadline::{DeadlineHeaderLayer, DeadlineLayer},
    in_flight::InFlightLimitLayer,
    keys::UriKey,
    logging::LoggingLayer,
    retry::{HttpCallAdapter, MappedBody, ReplayBody, RetryLayer, TimeLimits},
};

/// Applies [`Standard`](super::Standard): the whole stack, in order. See the [module docs](super) for what is in it, and
/// why so.
///
/// # Clone
///
/// Budgets, circuits and counts are made with the layer, and shared by its clones and all the services they make. A setter of
/// such a part begins its state anew, so settings come before the layer is used.
#[doc(alias = "AddStandardResilienceHandler")]
#[derive(Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct StandardLayer<C = HttpClassifier, P = HttpCallAdapter, K = ByAuthority, Side = Client> {
    pub(super) classifier: C,
    pub(super) retry: RetryLayer<HttpClassifier, P>,
    pub(super) per_key: PerKeyState<K>,
    pub(super) layers: Layers,
    pub(super) side: Side,
}

/// The parts of one type, whatever that of the stack.
#[derive(Clone, Debug)]
pub(super) struct Layers {
    pub(super) logging: LoggingLayer,
    /// The user's own, in place of the total of the timeouts.
    pub(super) user_deadline: Option<DeadlineLayer>,
    /// The one in force.
    pub(super) deadline: DeadlineLayer,
    pub(super) timeouts: Timeouts,
    /// The limits of the retry that the user gave.
    pub(super) user_time_limits: TimeLimits,
    pub(super) next_hop: DeadlineHeaderLayer,
    pub(super) bad_gateway: BadGatewayClassifierLayer,
    pub(super) off: DisabledLayers,
}

/// Which parts were left out, of those that do not know themselves.
// Only the policies of a file ask.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DisabledLayers {
    pub(super) retry: bool,
    pub(super) bad_gateway: bool,
    pub(super) logging: bool,
}

impl StandardLayer {
    /// The stack around a client. `name` is that of the upstream, or of what it does for you, such as `billing`; the circuit
    /// of requests whose URL has no host bears it.
    pub fn new(name: &str) -> Self {
        Self::of(name, Client {})
    }
}

impl<Side> StandardLayer<HttpClassifier, HttpCallAdapter, ByAuthority, Side> {
    pub(super) fn of(name: &str, side: Side) -> Self {
        let per_key = PerKeyState::new(ByAuthority {}, name);
        let layers = Layers {
            logging: LoggingLayer::client(),
            user_deadline: None,
            deadline: DeadlineLayer::disabled(),
            timeouts: Timeouts::default(),
            user_time_limits: TimeLimits::default(),
            next_hop: DeadlineHeaderLayer::disabled(),
            bad_gateway: BadGatewayClassifierLayer::new(),
            off: DisabledLayers::default(),
        };
        let (classifier, retry) = (HttpClassifier::new(), per_key.retry(RetryLayer::new()));
        Self { classifier, retry, per_key, layers, side }.with_resolved_timeouts()
    }
}

/// Each part replaced, or left out by `None`, on services made afterwards.
impl<C, P, K, Side> StandardLayer<C, P, K, Side> {
    /// How long each part of a call may take; in place of what [`deadline`](Self::deadline) said.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.layers.timeouts = timeouts;
        self.layers.user_deadline = None;
        self.with_resolved_timeouts()
    }

    /// Keeps to this deadline, in place of the total of the [`timeouts`](Self::timeouts): to trust the headers of callers, or to
    /// bound bodies too. `None`: there is none, not even the caller's; but a retry that could not end by that is not begun.
    pub fn deadline(mut self, deadline: impl Into<Option<DeadlineLayer>>) -> Self {
        self.layers.user_deadline = Some(deadline.into().unwrap_or_else(DeadlineLayer::disabled));
        self.with_resolved_timeouts()
    }

    /// Retries by these settings. Each key has a budget, unless they set one. Of a total timeout here and one of the stack, the
    /// sooner counts. `None` sends each request once, unless it has a [`RetryOverride`](crate::retry::RetryOverride).
    pub fn retry(mut self, retry: impl Into<Option<RetryLayer>>) -> Self
    where
        K: UriKey + Send + Sync + 'static,
    {
        let retry = retry.into();
        self.layers.off.retry = retry.is_none();
        let retry = retry.unwrap_or_else(RetryLayer::disabled);
        self.layers.user_time_limits = retry.time_limits();
        self.retry = self.per_key.retry(retry.with_adapter_of(self.retry));
        self.with_resolved_timeouts()
    }

    /// Breaks circuits by these settings, one for each key. `None`: none.
    pub fn circuit_breaker(self, breaker: impl Into<Option<CircuitBreakerLayer>>) -> Self {
        Self { per_key: self.per_key.set_breaker(breaker.into()), ..self }
    }

    /// Refuses calls beyond so many that are under way, for each key. Default: `None`.
    pub fn in_flight(self, in_flight: impl Into<Option<InFlightLimitLayer>>) -> Self {
        Self { per_key: self.per_key.set_limit(in_flight.into()), ..self }
    }

    /// Tells the next server how long it has. A retry that would have less than the layer's margin is then not begun. Default:
    /// `None`.
    pub fn deadline_header(mut self, next_hop: impl Into<Option<DeadlineHeaderLayer>>) -> Self {
        self.layers.next_hop = next_hop.into().unwrap_or_else(DeadlineHeaderLayer::disabled);
        self.with_resolved_timeouts()
    }

    /// Looks into failed responses by these settings. `None`: status, a few headers and errors alone tell what failed.
    pub fn bad_gateway(
        mut self,
        bad_gateway: impl Into<Option<BadGatewayClassifierLayer>>,
    ) -> Self {
        let bad_gateway = bad_gateway.into();
        self.layers.off.bad_gateway = bad_gateway.is_none();
        self.layers.bad_gateway = bad_gateway.unwrap_or_else(BadGatewayClassifierLayer::disabled);
        self
    }

    /// Logs calls by these settings. `None`: not at all.
    pub fn logging(mut self, logging: impl Into<Option<LoggingLayer>>) -> Self {
        let logging = logging.into();
        self.layers.off.logging = logging.is_none();
        self.layers.logging = logging.unwrap_or_else(LoggingLayer::disabled);
        self
    }

    /// Gives the total timeout to the retry, unless a [`DeadlineLayer`] has it: the user's own, or one that leaves the deadline
    /// in the request for the header of the next hop.
    pub(super) fn with_resolved_timeouts(mut self) -> Self {
        let margin = self.layers.next_hop.margin_if_enabled();
        let total = self.layers.timeouts.total;
        let (deadline, total) = match (&self.layers.user_deadline, total, margin) {
            (Some(own), _, _) => (own.clone(), None),
            (None, Some(total), Some(_)) => (DeadlineLayer::new(total), None),
            (None, total, _) => (DeadlineLayer::disabled(), total),
        };
        self.layers.deadline = deadline;
        let own = self.layers.user_time_limits;
        self.retry = self
            .retry
            .total_timeout(own.total_timeout.into_iter().chain(total).min())
            .deadline_margin(own.deadline_margin.max(margin.unwrap_or_default()));
        self
    }

    /// The circuits, to be looked at and to be told.
    #[must_use]
    pub fn circuits(&self) -> Circuits {
        self.per_key.breaker.handle()
    }
}

/// These change the type of the layer.
impl<C, P, K, Side> StandardLayer<C, P, K, Side> {
    /// Decides by `classifier` what is a failure, in place of [`HttpClassifier`], in each part of the stack: one type
    /// that takes responses of any body, `impl<B> Classify<Response<B>> for Mine`, or a [`classify_fn`](crate::classify::classify_fn) of
    /// `Result<&Response<_>, _>`.
    pub fn classifier<C2>(self, classifier: C2) -> StandardLayer<C2, P, K, Side> {
        let Self { retry, per_key, layers, side, .. } = self;
        StandardLayer { classifier, retry, per_key, layers, side }
    }

    /// Makes keys by `key_fn`, in place of [`by_authority`](super::by_authority); requests for which it makes none have the stack's name for theirs, so
    /// `|_| None` means one circuit and one limit for all. Begins all state anew.
    ///
    /// ```
    /// use seawall::standard::StandardLayer;
    ///
    /// let one = StandardLayer::new("billing").per_key(|_| None);
    /// # let _ = one;
    /// ```
    pub fn per_key<K2>(self, key_fn: K2) -> StandardLayer<C, P, K2, Side>
    where
        K2: for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    {
        let Self { classifier, retry, per_key, layers, side } = self;
        let per_key = per_key.with_key_fn(Arc::new(key_fn));
        StandardLayer { classifier, retry: per_key.retry(retry), per_key, layers, side }
    }
}

impl<C, F, K, Side> StandardLayer<C, HttpCallAdapter<F>, K, Side> {
    /// Hands the client what `convert` makes of each attempt's body, for clients that take one type of body only; as
    /// [`RetryLayer::map_body`].
    pub fn map_body<B, B2, G>(
        self,
        convert: G,
    ) -> StandardLayer<C, HttpCallAdapter<MappedBody<G>>, K, Side>
    where
        G: Fn(ReplayBody<B>) -> B2,
    {
        let Self { classifier, retry, per_key, layers, side } = self;
        StandardLayer { classifier, retry: retry.map_body(convert), per_key, layers, side }
    }
}

impl<C: Clone, P: Clone, K, Side: Clone> Clone for StandardLayer<C, P, K, Side> {
    fn clone(&self) -> Self {
        Self {
            classifier: self.classifier.clone(),
            retry: self.retry.clone(),
            per_key: self.per_key.clone(),
            layers: self.layers.clone(),
            side: self.side.clone(),
        }
    }
}
