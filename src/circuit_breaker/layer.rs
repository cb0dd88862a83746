use std::{borrow::Cow, marker::PhantomData, num::NonZeroU32, sync::Arc, time::Duration};

use http::Uri;
use seawall_core::{classify::HttpClassifier, failure::Failure, ratio::Ratio};
use tower_layer::Layer;

use super::{
    Circuit, CircuitBreaker, Circuits, OpenBehavior,
    readiness::Readiness,
    selector::{CircuitPerKey, RebuildCircuits, SharedCircuit},
    settings::{FailurePredicate, Settings},
};
use crate::{
    body::{CompleteOnBodyEnd, CompleteOnResponse},
    keys::{RequestKeyFn, UriKeyFn},
};

/// Applies [`CircuitBreaker`]. See the [module docs](super) for what it does and an example.
///
/// The circuit is made with the layer and shared by all its services and clones. A setter begins it anew, so settings
/// come before the layer is used.
#[derive(Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct CircuitBreakerLayer<C = HttpClassifier, K = SharedCircuit, E = CompleteOnResponse> {
    classifier: C,
    selector: K,
    settings: Arc<Settings>,
    completion: PhantomData<fn() -> E>,
}

impl CircuitBreakerLayer {
    /// One circuit for all requests: for a client of one upstream. [`per_key`](Self::per_key) for several.
    pub fn new() -> Self {
        let settings = Arc::default();
        Self {
            classifier: HttpClassifier::new(),
            selector: SharedCircuit::new(None, &settings),
            settings,
            completion: PhantomData,
        }
    }
}

impl Default for CircuitBreakerLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<C, E> CircuitBreakerLayer<C, SharedCircuit, E> {
    /// Names the circuit, to tell it from others in log lines, metrics and
    /// [`CircuitOpen::key`](super::CircuitOpen::key). Default: no name.
    pub fn named(self, name: &str) -> Self {
        let selector = SharedCircuit::new(Some(name.into()), &self.settings);
        Self { selector, ..self }
    }

    /// The circuit, to be looked at and to be told. It is that of this moment: most setters begin another.
    #[must_use]
    pub fn handle(&self) -> Circuit {
        Circuit::new(self.selector.circuit.clone())
    }
}

impl<C, F, E> CircuitBreakerLayer<C, CircuitPerKey<F>, E> {
    /// The circuits, to be looked at and to be told. They are those of this moment: most setters begin others.
    #[must_use]
    pub fn handle(&self) -> Circuits {
        Circuits::new(self.selector.store())
    }
}

impl<C, K: RebuildCircuits, E> CircuitBreakerLayer<C, K, E> {
    /// Decides by `classifier` what is a failure, in place of [`HttpClassifier`].
    pub fn classifier<C2>(self, classifier: C2) -> CircuitBreakerLayer<C2, K, E> {
        let Self { selector, settings, completion, .. } = self;
        CircuitBreakerLayer { classifier, selector, settings, completion }
    }

    /// Gives every key a circuit of its own, so that one upstream's failure does not cut off another.
    /// [`by_authority`](super::by_authority) keys by host and port. Requests for which `key_fn` gives `None` pass, and do not
    /// count.
    ///
    /// At most 4,096 keys have one, of about 1.5 KB each, and 0.4 KB more for each further group of threads that calls, of eight. Room for others is made by those that are closed and have no failure in their window, or
    /// that nobody has called for [`max_open_duration`](Self::max_open_duration) since they could have been closed; and that have no call
    /// under way. Those that keep no window, by [`failure_ratio(None)`](Self::failure_ratio), have none in it if the last of a row is
    /// as long ago. Requests of further keys, and of those longer than 1,024 bytes, pass, and do not count; the first one is told by an
    /// event at WARN.
    ///
    /// ```
    /// use seawall::{CircuitBreakerLayer, circuit_breaker::by_authority};
    ///
    /// let layer = CircuitBreakerLayer::new().per_key(by_authority);
    /// # let _ = layer;
    /// ```
    pub fn per_key<F>(self, key_fn: F) -> CircuitBreakerLayer<C, CircuitPerKey<UriKeyFn<F>>, E>
    where
        F: for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>>,
    {
        self.with_key_extractor(UriKeyFn(key_fn))
    }

    /// As [`per_key`](Self::per_key), by the whole of a request, of whatever kind.
    ///
    /// ```
    /// use std::borrow::Cow;
    /// use seawall::CircuitBreakerLayer;
    ///
    /// let layer = CircuitBreakerLayer::new()
    ///     .per_request_key(|request: &String| Some(Cow::Borrowed(request.as_str())));
    /// # let _ = layer;
    /// ```
    pub fn per_request_key<F, Req>(
        self,
        key_fn: F,
    ) -> CircuitBreakerLayer<C, CircuitPerKey<RequestKeyFn<F>>, E>
    where
        F: for<'a> Fn(&'a Req) -> Option<Cow<'a, str>>,
    {
        self.with_key_extractor(RequestKeyFn(key_fn))
    }

    pub(crate) fn with_key_extractor<F>(
        self,
        key_extractor: F,
    ) -> CircuitBreakerLayer<C, CircuitPerKey<F>, E> {
        let Self { classifier, settings, completion, .. } = self;
        CircuitBreakerLayer {
            classifier,
            selector: CircuitPerKey::new(key_extractor, &settings),
            settings,
            completion,
        }
    }

    /// Counts a call when the body of its response ends, for HTTP services: one that breaks off is a failure, one that the
    /// caller drops is neither. Otherwise a call counts when the head is there.
    pub fn until_body_end(self) -> CircuitBreakerLayer<C, K, CompleteOnBodyEnd> {
        let Self { classifier, selector, settings, .. } = self;
        CircuitBreakerLayer { classifier, selector, settings, completion: PhantomData }
    }

    /// Opens when this part of the calls in the window failed, or more. A part of zero means: at any failure. Default:
    /// 50 %.
    ///
    /// `None`: however many fail, only [`consecutive_failures`](Self::consecutive_failures) opens it; with that `None` too,
    /// nothing but [`Circuit::force_open`]. No window is kept then, so [`min_calls`](Self::min_calls) does not matter, nor
    /// whether anything succeeds, and a [`Snapshot`](super::Snapshot) of a closed circuit has no calls and no failures. While it
    /// is half-open, one failed probe opens it again, and all [`half_open_probes`](Self::half_open_probes) have to succeed to close it. A call that
    /// succeeds costs a quarter less: it takes no lock unless a failure came before it, and reads no clock unless
    /// [slow calls](Self::slow_call_threshold) count.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    /// use seawall::CircuitBreakerLayer;
    ///
    /// let layer = CircuitBreakerLayer::new()
    ///     .failure_ratio(None)
    ///     .consecutive_failures(NonZeroU32::new(5));
    /// # let _ = layer;
    /// ```
    #[doc(alias = "failureRateThreshold")]
    #[doc(alias = "FailureRatio")]
    pub fn failure_ratio(self, ratio: impl Into<Option<Ratio>>) -> Self {
        let ratio = ratio.into();
        self.set(|settings| settings.ratio = ratio)
    }

    /// Does not open by [`failure_ratio`](Self::failure_ratio) while there are fewer calls than this in the window: of two
    /// calls one failure is no trend. Nor because nothing succeeds, while there are fewer failures. Default: 20.
    #[doc(alias = "minimumNumberOfCalls")]
    #[doc(alias = "MinimumThroughput")]
    pub fn min_calls(self, calls: u32) -> Self {
        self.set(|settings| settings.min_calls = calls)
    }

    /// The time that is looked back on. It slides in ten pieces, so a result counts for nine to ten tenths of it. Default:
    /// 10 s; at least 10 ms.
    ///
    /// When nothing at all succeeds, a tenth of it is enough: a circuit opens if every call has failed for so long, without a
    /// silence as long among them, and there were [`min_calls`](Self::min_calls). What was good for ten seconds would
    /// otherwise hide for five that it is down: in the outages of `docs/storms.md` the upstream got a fifth of the usual
    /// requests for that, and gets a 25th.
    #[doc(alias = "slidingWindowSize")]
    #[doc(alias = "SamplingDuration")]
    pub fn window(self, window: Duration) -> Self {
        self.set(|settings| settings.set_window(window))
    }

    /// Opens as well after so many failures in a row, however few calls there are. Only a success ends a row, time does not;
    /// but a [key](Self::per_key)'s circuit that made room for others begins anew. `None`: never. Default: `None`. To open by
    /// nothing else: [`failure_ratio(None)`](Self::failure_ratio).
    #[doc(alias = "consecutive_5xx")]
    #[doc(alias = "handledEventsAllowedBeforeBreaking")]
    pub fn consecutive_failures(self, failures: impl Into<Option<NonZeroU32>>) -> Self {
        let failures = failures.into();
        self.set(|settings| settings.consecutive = failures)
    }

    /// Counts calls that take this long or longer as failures, also those that are given up after it. `None`: time does
    /// not count. Default: `None`.
    #[doc(alias = "slowCallDurationThreshold")]
    pub fn slow_call_threshold(self, time: impl Into<Option<Duration>>) -> Self {
        let time = time.into();
        self.set(|settings| settings.slow = time)
    }

    /// How long it stays open the first time. While it fails to close, each time is half as long again, up to
    /// [`max_open_duration`](Self::max_open_duration). By chance up to a fifth is taken off, so that callers that opened together do not
    /// probe together. Default: 2 s.
    #[doc(alias = "waitDurationInOpenState")]
    #[doc(alias = "BreakDuration")]
    pub fn open_duration(self, time: Duration) -> Self {
        self.set(|settings| settings.open_duration = time)
    }

    /// The longest time it stays open by itself; never shorter than [`open_duration`](Self::open_duration). Default: 5 s: in the
    /// outages of `docs/storms.md` calls succeed again at most 3.3 s after the upstream does, where it was 7.3 s with 8 s; and the
    /// probes are few in any case.
    pub fn max_open_duration(self, time: Duration) -> Self {
        self.set(|settings| settings.max_open_duration = time)
    }

    /// How long a `Retry-After` of the failure that opened it may keep it open. Zero: it has no say. Default: 30 s.
    pub fn max_retry_after(self, max: Duration) -> Self {
        self.set(|settings| settings.max_retry_after = max)
    }

    /// How many calls pass while it is half-open, at once and in all. It closes as soon as their failures must stay below
    /// [`failure_ratio`](Self::failure_ratio), and opens as soon as they cannot; with that `None`, once all have succeeded, or
    /// one has failed. Default: 5.
    #[doc(alias = "permittedNumberOfCallsInHalfOpenState")]
    pub fn half_open_probes(self, probes: NonZeroU32) -> Self {
        self.set(|settings| settings.probes = probes)
    }

    /// How long such a call keeps its place. One that takes longer makes room for another, so that calls which never end
    /// cannot keep the circuit half-open for ever; its result still counts. Default: 30 s; at least 10 ms.
    pub fn probe_timeout(self, time: Duration) -> Self {
        self.set(|settings| settings.set_probe_timeout(time))
    }

    /// Whether the origin's own errors (500, 501, 505 and others) count as failures. One broken route would then cut off
    /// all routes of its host. Default: no.
    pub fn count_origin_errors(self, count: bool) -> Self {
        self.set(|settings| settings.count_origin_errors = count)
    }

    /// Decides which failures count, in place of the rules in the [module docs](super). Those that do not count are
    /// successes if a response came, and nothing otherwise. Called when a call fails, on the task that drives it; it must
    /// not block.
    ///
    /// ```
    /// use seawall::{Cause, CircuitBreakerLayer};
    ///
    /// let layer = CircuitBreakerLayer::new()
    ///     .failure_predicate(|failure| matches!(failure.cause(), Cause::RateLimited | Cause::Overloaded));
    /// # let _ = layer;
    /// ```
    #[doc(alias = "ShouldHandle")]
    #[doc(alias = "recordException")]
    pub fn failure_predicate(
        self,
        count: impl Fn(&Failure) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.set(|settings| settings.failure_predicate = FailurePredicate(Some(Arc::new(count))))
    }

    /// What a service says of its readiness while the circuit is open, if there is one for all requests. Default:
    /// [`Reject`](OpenBehavior::Reject).
    ///
    /// With [`Backpressure`](OpenBehavior::Backpressure) it is pending until the next probe may pass, so that `tower::balance` passes
    /// it over; with `Reject` a balancer that prefers the least loaded instance would send most of its calls to the one
    /// that rejects them at once. Not for a stack with a single upstream: its callers would wait.
    /// And while the circuit is open `poll_ready` needs a tokio runtime, to wait in.
    pub fn open_behavior(self, open_behavior: OpenBehavior) -> Self {
        self.set(|settings| settings.open_behavior = open_behavior)
    }

    /// Counts and reports, but never rejects: to see what the breaker would do. Default: no.
    #[doc(alias = "METRICS_ONLY")]
    pub fn dry_run(self, dry_run: bool) -> Self {
        self.set(|settings| settings.dry_run = dry_run)
    }

    fn set(mut self, with_state_machine: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::clone(&self.settings);
        with_state_machine(&mut settings);
        self.settings = Arc::new(settings);
        self.selector = self.selector.rebuild(&self.settings);
        self
    }
}

impl<C: Clone, K: Clone, E> Clone for CircuitBreakerLayer<C, K, E> {
    fn clone(&self) -> Self {
        Self {
            classifier: self.classifier.clone(),
            selector: self.selector.clone(),
            settings: Arc::clone(&self.settings),
            completion: PhantomData,
        }
    }
}

impl<S: Clone, C: Clone, K: Clone, E> Layer<S> for CircuitBreakerLayer<C, K, E> {
    type Service = CircuitBreaker<S, C, K, E>;

    fn layer(&self, inner: S) -> Self::Service {
        CircuitBreaker {
            inner,
            classifier: self.classifier.clone(),
            selector: self.selector.clone(),
            readiness: Readiness::new(self.settings.open_behavior, self.settings.dry_run),
            completion: PhantomData,
        }
    }
}
