use std::borrow::Cow;

use http::Uri;
use seawall_core::classify::HttpClassifier;

use super::{Client, Timeouts, per_key::PerKeyState};
use crate::{
    bad_gateway::BadGatewayClassifierLayer,
    circuit_breaker::{CircuitBreakerLayer, Circuits},
    deadline::{DeadlineHeaderLayer, DeadlineLayer},
    in_flight::InFlightLimitLayer,
    keys::{UriKey, by_authority},
    logging::LoggingLayer,
    retry::{HttpCallAdapter, MappedBody, ReplayBody, RetryLayer, TimeLimits},
};

/// A layer that applies [`Standard`](super::Standard), the whole stack in order.
///
/// See the [module docs](super) for its layers and their order.
///
/// # Clone
///
/// The services and clones of a layer share budgets, circuits and in-flight counts. A setter for
/// one of these resets its state, so configure the layer before you use it.
#[doc(alias = "AddStandardResilienceHandler")]
#[derive(Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct StandardLayer<C = HttpClassifier, P = HttpCallAdapter, Side = Client> {
    pub(crate) classifier: C,
    pub(crate) retry: RetryLayer<HttpClassifier, P>,
    pub(crate) per_key: PerKeyState,
    pub(crate) layers: CommonLayers,
    pub(crate) side: Side,
}

/// The layers whose types do not depend on the type parameters of the stack.
#[derive(Clone, Debug)]
pub(crate) struct CommonLayers {
    pub(crate) logging: LoggingLayer,
    /// The layer passed to [`StandardLayer::deadline`]. It replaces the total timeout.
    pub(crate) user_deadline: Option<DeadlineLayer>,
    /// The deadline layer of the stack, which `with_resolved_timeouts` sets.
    pub(crate) deadline: DeadlineLayer,
    pub(crate) timeouts: Timeouts,
    /// The time limits of the layer passed to [`StandardLayer::retry`].
    pub(crate) user_time_limits: TimeLimits,
    pub(crate) next_hop: DeadlineHeaderLayer,
    pub(crate) bad_gateway: BadGatewayClassifierLayer,
    pub(crate) disabled: DisabledLayers,
}

/// The disabled layers, among those that do not store this themselves.
///
/// If a policy enables such a layer, the layer has the default settings.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DisabledLayers {
    pub(crate) retry: bool,
    pub(crate) bad_gateway: bool,
    pub(crate) logging: bool,
}

impl StandardLayer {
    /// Creates the stack for a client.
    ///
    /// `name` is the name of the upstream or of its role, such as `billing`. It names the circuit
    /// of requests whose URL has no host.
    pub fn new(name: &str) -> Self {
        Self::with_side(name, Client {})
    }
}

impl<Side> StandardLayer<HttpClassifier, HttpCallAdapter, Side> {
    pub(super) fn with_side(name: &str, side: Side) -> Self {
        let per_key = PerKeyState::new(UriKey::new(by_authority), name);
        let layers = CommonLayers {
            logging: LoggingLayer::client(),
            user_deadline: None,
            deadline: DeadlineLayer::disabled(),
            timeouts: Timeouts::default(),
            user_time_limits: TimeLimits::default(),
            next_hop: DeadlineHeaderLayer::disabled(),
            bad_gateway: BadGatewayClassifierLayer::new(),
            disabled: DisabledLayers::default(),
        };
        let (classifier, retry) =
            (HttpClassifier::new(), per_key.add_default_budget(RetryLayer::new()));
        Self { classifier, retry, per_key, layers, side }.with_resolved_timeouts()
    }
}

/// Setters of the layers. They affect only services that are created afterwards.
impl<C, P, Side> StandardLayer<C, P, Side> {
    /// Sets the timeouts of each part of a call. Removes the layer set by
    /// [`deadline`](Self::deadline).
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.layers.timeouts = timeouts;
        self.layers.user_deadline = None;
        self.with_resolved_timeouts()
    }

    /// Sets the deadline layer, which replaces the total of the [`timeouts`](Self::timeouts). Use
    /// it to trust timeout headers of callers, or to limit bodies too.
    pub fn deadline(mut self, deadline: DeadlineLayer) -> Self {
        self.layers.user_deadline = Some(deadline);
        self.with_resolved_timeouts()
    }

    /// Disables the total of the [`timeouts`](Self::timeouts) and the deadlines of callers.
    ///
    /// A retry still does not start if it could not end before the caller's deadline.
    pub fn without_deadline(self) -> Self {
        self.deadline(DeadlineLayer::disabled())
    }

    /// Sets the retry layer. Each key gets its own budget, unless the layer has one.
    ///
    /// If both the layer and the stack have a total timeout, the shorter applies. Default:
    /// [`RetryLayer::new`].
    pub fn retry(self, retry: RetryLayer) -> Self {
        self.set_retry(retry, true)
    }

    /// Sends each request once, unless it has a [`RetryOverride`](crate::retry::RetryOverride).
    pub fn without_retry(self) -> Self {
        self.set_retry(RetryLayer::disabled(), false)
    }

    fn set_retry(mut self, retry: RetryLayer, enabled: bool) -> Self {
        self.layers.disabled.retry = !enabled;
        self.layers.user_time_limits = retry.time_limits();
        self.retry = self.per_key.add_default_budget(retry.with_type_parameters_of(self.retry));
        self.with_resolved_timeouts()
    }

    /// Sets the circuit breaker, with one circuit per key. Default: [`CircuitBreakerLayer::new`].
    pub fn circuit_breaker(self, breaker: CircuitBreakerLayer) -> Self {
        Self { per_key: self.per_key.set_breaker(Some(breaker)), ..self }
    }

    /// Disables the circuit breaker.
    pub fn without_circuit_breaker(self) -> Self {
        Self { per_key: self.per_key.set_breaker(None), ..self }
    }

    /// Sets the limit of calls in flight per key, beyond which calls are rejected. Default: no
    /// limit.
    pub fn in_flight(self, in_flight: InFlightLimitLayer) -> Self {
        Self { per_key: self.per_key.set_limit(Some(in_flight)), ..self }
    }

    /// Sets the header that carries the remaining time to the next hop. A retry does not start if
    /// less time is left than the layer's margin. Default: no header.
    pub fn deadline_header(mut self, next_hop: DeadlineHeaderLayer) -> Self {
        self.layers.next_hop = next_hop;
        self.with_resolved_timeouts()
    }

    /// Sets the classifier that inspects failed responses. Default:
    /// [`BadGatewayClassifierLayer::new`].
    pub fn bad_gateway(mut self, bad_gateway: BadGatewayClassifierLayer) -> Self {
        self.layers.disabled.bad_gateway = false;
        self.layers.bad_gateway = bad_gateway;
        self
    }

    /// Disables the inspection of failed responses. They are then classified only by their status
    /// and a few headers.
    pub fn without_bad_gateway(mut self) -> Self {
        self.layers.disabled.bad_gateway = true;
        self.layers.bad_gateway = BadGatewayClassifierLayer::disabled();
        self
    }

    /// Sets the log of calls. Default: [`LoggingLayer::client`].
    pub fn logging(mut self, logging: LoggingLayer) -> Self {
        self.layers.disabled.logging = false;
        self.layers.logging = logging;
        self
    }

    /// Disables the log of calls.
    pub fn without_logging(mut self) -> Self {
        self.layers.disabled.logging = true;
        self.layers.logging = LoggingLayer::disabled();
        self
    }

    /// Passes the total timeout to the retry layer, unless a [`DeadlineLayer`] enforces it. The
    /// user may have set one. The header of the next hop needs one, to insert the deadline into the
    /// request.
    pub(crate) fn with_resolved_timeouts(mut self) -> Self {
        let margin = self.layers.next_hop.margin_if_enabled();
        let total = self.layers.timeouts.total;
        let (deadline, total) = match (&self.layers.user_deadline, total, margin) {
            (Some(user_deadline), _, _) => (user_deadline.clone(), None),
            (None, Some(total), Some(_)) => (DeadlineLayer::new(total), None),
            (None, total, _) => (DeadlineLayer::disabled(), total),
        };
        self.layers.deadline = deadline;
        let user_limits = self.layers.user_time_limits;
        self.retry = self
            .retry
            .set_total_timeout(user_limits.total_timeout.into_iter().chain(total).min())
            .deadline_margin(user_limits.deadline_margin.max(margin.unwrap_or_default()));
        self
    }

    /// Returns a handle to the circuits, to read or force their states.
    #[must_use]
    pub fn circuits(&self) -> Circuits {
        self.per_key.breaker.handle()
    }
}

/// Setters of the classifier and the key function.
impl<C, P, Side> StandardLayer<C, P, Side> {
    /// Sets the classifier of failures, in each layer of the stack. Default: [`HttpClassifier`].
    ///
    /// It must implement `Classify<Response<B>>` for the bodies of the stack. Use a generic
    /// implementation, or a [`classify_fn`](crate::classify::classify_fn) of `Result<&Response<_>,
    /// _>`.
    pub fn classifier<C2>(self, classifier: C2) -> StandardLayer<C2, P, Side> {
        let Self { retry, per_key, layers, side, .. } = self;
        StandardLayer { classifier, retry, per_key, layers, side }
    }

    /// Sets the function that extracts the key of a request. Resets all state. Default:
    /// [`by_authority`](crate::keys::by_authority).
    ///
    /// Requests for which it returns `None` have the stack's name as their key. With `|_| None`,
    /// all requests share one circuit and one limit.
    ///
    /// ```
    /// use seawall::standard::StandardLayer;
    ///
    /// let layer = StandardLayer::new("billing").per_key(|_| None);
    /// # let _ = layer;
    /// ```
    pub fn per_key(
        self,
        key_fn: impl for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> Self {
        let Self { classifier, retry, per_key, layers, side } = self;
        let per_key = per_key.with_key_fn(UriKey::new(key_fn));
        Self { classifier, retry: per_key.add_default_budget(retry), per_key, layers, side }
    }
}

impl<C, F, Side> StandardLayer<C, HttpCallAdapter<F>, Side> {
    /// Converts the body of each attempt with `convert`, for a client that accepts one body type
    /// only. See [`RetryLayer::map_body`].
    pub fn map_body<B, B2, G>(
        self,
        convert: G,
    ) -> StandardLayer<C, HttpCallAdapter<MappedBody<G>>, Side>
    where
        G: Fn(ReplayBody<B>) -> B2,
    {
        let Self { classifier, retry, per_key, layers, side } = self;
        StandardLayer { classifier, retry: retry.map_body(convert), per_key, layers, side }
    }
}

impl<C: Clone, P: Clone, Side: Clone> Clone for StandardLayer<C, P, Side> {
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
