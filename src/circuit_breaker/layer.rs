use std::{borrow::Cow, marker::PhantomData, num::NonZeroU32, sync::Arc, time::Duration};

use http::Uri;
use seawall_core::{Failure, Ratio, classify::HttpClassifier};
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

/// Applies [`CircuitBreaker`]. The [module docs](super) have the rules and an example.
///
/// The services and clones of a layer share its circuit. A setter makes a new circuit, so set all before using the layer.
#[derive(Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct CircuitBreakerLayer<C = HttpClassifier, K = SharedCircuit, E = CompleteOnResponse> {
    classifier: C,
    selector: K,
    settings: Arc<Settings>,
    completion: PhantomData<fn() -> E>,
}

impl CircuitBreakerLayer {
    /// Makes one circuit for all requests, for a client of one upstream. [`per_key`](Self::per_key) is for several.
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
    /// Sets the name of the circuit in logs, metrics and [`CircuitOpen::key`](super::CircuitOpen::key). Default: no name.
    pub fn named(self, name: &str) -> Self {
        let selector = SharedCircuit::new(Some(name.into()), &self.settings);
        Self { selector, ..self }
    }

    /// Returns a handle of the circuit, to read or force its state. Most setters make another circuit.
    #[must_use]
    pub fn handle(&self) -> Circuit {
        Circuit::new(self.selector.circuit.clone())
    }
}

impl<C, F, E> CircuitBreakerLayer<C, CircuitPerKey<F>, E> {
    /// Returns a handle of the circuits, to read or force their states. Most setters make other circuits.
    #[must_use]
    pub fn handle(&self) -> Circuits {
        Circuits::new(self.selector.store())
    }
}

impl<C, K: RebuildCircuits, E> CircuitBreakerLayer<C, K, E> {
    /// Classifies responses and errors by `classifier`, in place of [`HttpClassifier`].
    pub fn classifier<C2>(self, classifier: C2) -> CircuitBreakerLayer<C2, K, E> {
        let Self { selector, settings, completion, .. } = self;
        CircuitBreakerLayer { classifier, selector, settings, completion }
    }

    /// Makes a circuit for each key, so that the failure of one upstream does not reject the calls of another.
    /// [`by_authority`](super::by_authority) keys by host and port. A request without a key passes and does not count.
    ///
    /// At most 4,096 keys have a circuit, of about 1.5 KB each, and 0.4 KB more for each further group of threads that calls,
    /// of eight. A circuit makes room for another if it has no call in flight and is closed without a failure in its window,
    /// or had no call for [`max_open_duration`](Self::max_open_duration) since it could have closed. Requests of further keys,
    /// and of keys above 1,024 bytes, pass and do not count. An event at WARN reports the first.
    ///
    /// ```
    /// use seawall::circuit_breaker::{by_authority, CircuitBreakerLayer};
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

    /// Makes a circuit for each key, as [`per_key`](Self::per_key), from the whole request of any type.
    ///
    /// ```
    /// use std::borrow::Cow;
    /// use seawall::circuit_breaker::CircuitBreakerLayer;
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

    /// Counts a call when the body of its HTTP response ends. A body that breaks off is a failure, a dropped body counts as
    /// neither. By default a call counts when the response's head arrives.
    pub fn until_body_end(self) -> CircuitBreakerLayer<C, K, CompleteOnBodyEnd> {
        let Self { classifier, selector, settings, .. } = self;
        CircuitBreakerLayer { classifier, selector, settings, completion: PhantomData }
    }

    /// Sets the ratio of failed calls in the window that opens the circuit. Zero opens it at any failure. Default: 50 %.
    ///
    /// With `None` only [`consecutive_failures`](Self::consecutive_failures) opens the circuit; if that is `None` too, only
    /// [`Circuit::force_open`] does. There is no window then: [`min_calls`](Self::min_calls) has no effect, and a
    /// [`Snapshot`](super::Snapshot) of a closed circuit has no calls and no failures. One failed probe opens a half-open
    /// circuit again, and all [`half_open_probes`](Self::half_open_probes) must succeed to close it. A successful call takes no
    /// lock unless a failure came before it, and reads no clock unless [slow calls](Self::slow_call_threshold) count.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    /// use seawall::circuit_breaker::CircuitBreakerLayer;
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

    /// Sets the minimum number of calls in the window before [`failure_ratio`](Self::failure_ratio) opens the circuit, and of
    /// failures before a lack of successes does. Default: 20.
    #[doc(alias = "minimumNumberOfCalls")]
    #[doc(alias = "MinimumThroughput")]
    pub fn min_calls(self, calls: u32) -> Self {
        self.set(|settings| settings.min_calls = calls)
    }

    /// Sets the duration of the sliding window. It has ten buckets, so a result counts for 90 to 100 % of it. Default: 10 s;
    /// minimum 10 ms.
    ///
    /// If no call succeeds, a tenth of the window is enough: the circuit opens if every call failed for that time, without a
    /// pause as long, and there were [`min_calls`](Self::min_calls). Otherwise the successes before an outage would keep the
    /// circuit closed for half of the window.
    #[doc(alias = "slidingWindowSize")]
    #[doc(alias = "SamplingDuration")]
    pub fn window(self, window: Duration) -> Self {
        self.set(|settings| settings.set_window(window))
    }

    /// Sets the number of consecutive failures that opens the circuit, beside [`failure_ratio`](Self::failure_ratio). A success
    /// resets the count, time does not. The count of a [key](Self::per_key) is lost when its circuit makes room for another.
    /// Default: `None`, off. To open by nothing else, set [`failure_ratio(None)`](Self::failure_ratio).
    #[doc(alias = "consecutive_5xx")]
    #[doc(alias = "handledEventsAllowedBeforeBreaking")]
    pub fn consecutive_failures(self, failures: impl Into<Option<NonZeroU32>>) -> Self {
        let failures = failures.into();
        self.set(|settings| settings.consecutive = failures)
    }

    /// Sets the duration from which a call counts as a failure, also if its caller drops it then. Default: `None`, off.
    #[doc(alias = "slowCallDurationThreshold")]
    pub fn slow_call_threshold(self, time: impl Into<Option<Duration>>) -> Self {
        let time = time.into();
        self.set(|settings| settings.slow_call_threshold = time)
    }

    /// Sets how long the circuit first stays open. Each time that it opens again without having closed, the duration grows by
    /// half, up to [`max_open_duration`](Self::max_open_duration). Jitter subtracts up to a fifth, so that clients do not probe
    /// together. Default: 2 s.
    #[doc(alias = "waitDurationInOpenState")]
    #[doc(alias = "BreakDuration")]
    pub fn open_duration(self, time: Duration) -> Self {
        self.set(|settings| settings.open_duration = time)
    }

    /// Sets the maximum of [`open_duration`](Self::open_duration) after it has grown. Default: 5 s, at which calls succeed at most
    /// 3.3 s after the upstream recovers in the outages of `docs/storms.md` (7.3 s at 8 s).
    pub fn max_open_duration(self, time: Duration) -> Self {
        self.set(|settings| settings.max_open_duration = time)
    }

    /// Sets how long a `Retry-After` of the failure that opened the circuit may keep it open. Zero ignores it. Default: 30 s.
    pub fn max_retry_after(self, max: Duration) -> Self {
        self.set(|settings| settings.max_retry_after = max)
    }

    /// Sets the number of calls that pass while the circuit is half-open, in flight and in total. The circuit closes as soon as
    /// their failures must stay below [`failure_ratio`](Self::failure_ratio), and opens as soon as they cannot. Default: 5.
    #[doc(alias = "permittedNumberOfCallsInHalfOpenState")]
    pub fn half_open_probes(self, probes: NonZeroU32) -> Self {
        self.set(|settings| settings.probes = probes)
    }

    /// Sets how long a probe occupies its slot. After that time another call may probe, so that calls that never end do not
    /// keep the circuit half-open. The result of the first still counts. Default: 30 s; minimum 10 ms.
    pub fn probe_timeout(self, time: Duration) -> Self {
        self.set(|settings| settings.set_probe_timeout(time))
    }

    /// Counts the origin's own errors (500, 501, 505 and others) as failures. One broken route then opens the circuit for all
    /// routes of its host. Default: `false`.
    pub fn count_origin_errors(self, count: bool) -> Self {
        self.set(|settings| settings.count_origin_errors = count)
    }

    /// Selects the failures that count, in place of the rules in the [module docs](super). Any other failure is a success if
    /// there was a response, and counts as neither otherwise. The closure runs on the task that polls the call. It must not
    /// block.
    ///
    /// ```
    /// use seawall::{circuit_breaker::CircuitBreakerLayer, Cause};
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

    /// Sets the readiness of a service while its circuit is open, if all requests have one circuit. Default:
    /// [`Reject`](OpenBehavior::Reject).
    ///
    /// With [`Backpressure`](OpenBehavior::Backpressure) the service is pending until the next probe may pass, so that
    /// `tower::balance` selects another. With `Reject` a balancer that prefers the least loaded instance sends most calls to
    /// the one that rejects them. Callers of a single upstream would wait. `poll_ready` needs a tokio runtime while the
    /// circuit is open.
    pub fn open_behavior(self, open_behavior: OpenBehavior) -> Self {
        self.set(|settings| settings.open_behavior = open_behavior)
    }

    /// Counts and reports, but never rejects, to try settings out. Default: `false`.
    #[doc(alias = "METRICS_ONLY")]
    pub fn dry_run(self, dry_run: bool) -> Self {
        self.set(|settings| settings.dry_run = dry_run)
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::clone(&self.settings);
        change(&mut settings);
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
