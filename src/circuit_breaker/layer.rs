use std::{borrow::Cow, marker::PhantomData, num::NonZeroU32, sync::Arc, time::Duration};

use http::Uri;
use seawall_core::{Failure, Ratio, classify::HttpClassifier};
use tower_layer::Layer;

use super::{
    Circuit, CircuitBreaker, Circuits, OpenBehavior,
    readiness::Readiness,
    selector::{CircuitPerKey, ConfigureCircuits, SharedCircuit},
    settings::{FailurePredicate, Settings},
};
use crate::{
    body::{CompleteOnBodyEnd, CompleteOnResponse},
    keys::{RequestKey, UriKey},
};

/// A layer that applies [`CircuitBreaker`]. The [module docs](super) have the rules and an example.
///
/// The services and clones of a layer share its circuits. Call all setters first: a setter of a
/// layer in use creates new circuits.
#[derive(Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct CircuitBreakerLayer<
    C = HttpClassifier,
    K = SharedCircuit,
    Completion = CompleteOnResponse,
> {
    classifier: C,
    selector: K,
    settings: Arc<Settings>,
    completion: PhantomData<fn() -> Completion>,
}

impl CircuitBreakerLayer {
    /// Creates a layer with one circuit for all requests, for a client of one upstream. For several
    /// upstreams, use [`per_key`](Self::per_key).
    pub fn new() -> Self {
        let settings = Arc::default();
        Self {
            classifier: HttpClassifier::new(),
            selector: SharedCircuit::new(None, Arc::clone(&settings)),
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

impl<C, Completion> CircuitBreakerLayer<C, SharedCircuit, Completion> {
    /// Sets the name of the circuit in logs, metrics and
    /// [`CircuitOpen::key`](super::CircuitOpen::key). Default: no name.
    pub fn named(self, name: &str) -> Self {
        let selector = self.selector.named(name.into());
        Self { selector, ..self }
    }

    /// Returns a handle to the circuit, to read or force its state.
    ///
    /// A setter after the first use of the layer or of the handle creates another circuit.
    #[must_use]
    pub fn handle(&self) -> Circuit {
        Circuit::shared(self.selector.lazy_circuit())
    }
}

impl<C, K, Completion> CircuitBreakerLayer<C, CircuitPerKey<K>, Completion> {
    /// Returns a handle to the circuits, to read or force their states.
    ///
    /// A setter after the first use of the layer creates other circuits.
    #[must_use]
    pub fn handle(&self) -> Circuits {
        Circuits::new(self.selector.circuits())
    }
}

impl<C, K: ConfigureCircuits, Completion> CircuitBreakerLayer<C, K, Completion> {
    /// Sets the classifier of responses and errors. Default: [`HttpClassifier`].
    pub fn classifier<C2>(self, classifier: C2) -> CircuitBreakerLayer<C2, K, Completion> {
        let Self { selector, settings, completion, .. } = self;
        CircuitBreakerLayer { classifier, selector, settings, completion }
    }

    /// Creates a circuit for each key, so that the failure of one upstream does not reject the
    /// calls to another. [`by_authority`](crate::keys::by_authority) keys by host and port. A
    /// request without a key passes and does not count.
    ///
    /// At most 4,096 keys have a circuit. Requests with further keys, or with keys above 1,024
    /// bytes, pass and do not count. An event at WARN reports the first of them. A circuit takes
    /// about 1.5 KB if one thread calls it, and at most 4.3 KB if many do.
    ///
    /// A circuit without a call in flight can be evicted to make room for another if one of these
    /// conditions holds:
    ///
    /// - It is closed and has no failure in its window.
    /// - Its open duration has ended, and it has received no call for a further
    ///   [`max_open_duration`](Self::max_open_duration).
    ///
    /// ```
    /// use seawall::{circuit_breaker::CircuitBreakerLayer, keys::by_authority};
    ///
    /// let layer = CircuitBreakerLayer::new().per_key(by_authority);
    /// # let _ = layer;
    /// ```
    pub fn per_key(
        self,
        key_fn: impl for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> CircuitBreakerLayer<C, CircuitPerKey, Completion> {
        self.with_key(UriKey::new(key_fn))
    }

    /// Creates a circuit for each key, as [`per_key`](Self::per_key) does, but `key_fn` receives
    /// the whole request. The request may have any type.
    ///
    /// ```
    /// use std::borrow::Cow;
    /// use seawall::circuit_breaker::CircuitBreakerLayer;
    ///
    /// let layer = CircuitBreakerLayer::new()
    ///     .per_request_key(|request: &String| Some(Cow::Borrowed(request.as_str())));
    /// # let _ = layer;
    /// ```
    pub fn per_request_key<Req>(
        self,
        key_fn: impl for<'a> Fn(&'a Req) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> CircuitBreakerLayer<C, CircuitPerKey<RequestKey<Req>>, Completion> {
        self.with_key(RequestKey::new(key_fn))
    }

    pub(crate) fn with_key<K2>(
        self,
        key_extractor: K2,
    ) -> CircuitBreakerLayer<C, CircuitPerKey<K2>, Completion> {
        let Self { classifier, settings, completion, .. } = self;
        CircuitBreakerLayer {
            classifier,
            selector: CircuitPerKey::new(key_extractor, &settings),
            settings,
            completion,
        }
    }

    /// Counts a call when the body of its HTTP response ends. By default, a call counts when the
    /// head of the response arrives.
    ///
    /// An incomplete body is a failure. A dropped body counts as neither success nor failure.
    pub fn until_body_end(self) -> CircuitBreakerLayer<C, K, CompleteOnBodyEnd> {
        let Self { classifier, selector, settings, .. } = self;
        CircuitBreakerLayer { classifier, selector, settings, completion: PhantomData }
    }

    /// Sets the ratio of failed calls in the window that opens the circuit. Zero opens it on any
    /// failure. Default: 50 %.
    ///
    /// To open the circuit only by consecutive failures, use
    /// [`without_failure_ratio`](Self::without_failure_ratio).
    ///
    /// ```
    /// use std::num::NonZeroU32;
    /// use seawall::circuit_breaker::CircuitBreakerLayer;
    ///
    /// let layer = CircuitBreakerLayer::new()
    ///     .without_failure_ratio()
    ///     .consecutive_failures(NonZeroU32::new(5).unwrap());
    /// # let _ = layer;
    /// ```
    #[doc(alias = "failureRateThreshold")]
    #[doc(alias = "FailureRatio")]
    pub fn failure_ratio(self, ratio: Ratio) -> Self {
        self.set(|settings| settings.failure_ratio = Some(ratio))
    }

    /// Disables [`failure_ratio`](Self::failure_ratio), and the window with it.
    ///
    /// Then only [`consecutive_failures`](Self::consecutive_failures) opens the circuit. If that is
    /// off too, only [`Circuit::force_open`] does. [`min_calls`](Self::min_calls) has no effect,
    /// and a [`Snapshot`](super::Snapshot) of a closed circuit has no calls and no failures.
    ///
    /// One failed probe opens a half-open circuit again. All
    /// [`half_open_probes`](Self::half_open_probes) must succeed to close it. A successful call
    /// takes no lock unless a failure precedes it, and reads no clock unless [slow
    /// calls](Self::slow_call_threshold) count.
    pub fn without_failure_ratio(self) -> Self {
        self.set(|settings| settings.failure_ratio = None)
    }

    /// Sets the minimum number of calls in the window before [`failure_ratio`](Self::failure_ratio)
    /// opens the circuit. Default: 20.
    ///
    /// While no call succeeds, a part of the [`window`](Self::window) can open the circuit. This minimum
    /// applies to the failures in that part too.
    #[doc(alias = "minimumNumberOfCalls")]
    #[doc(alias = "MinimumThroughput")]
    pub fn min_calls(self, calls: u32) -> Self {
        self.set(|settings| settings.min_calls = calls)
    }

    /// Sets the duration of the sliding window. Default: 10 s. Minimum: 10 ms.
    ///
    /// The window has ten buckets, so a result counts for 90 to 100 % of the duration.
    ///
    /// While no call succeeds, a tenth of the window is enough. The circuit opens after that time if at
    /// least [`min_calls`](Self::min_calls) failed in it, and the calls did not pause for as long. Without
    /// this rule, the successes before an outage would keep the circuit closed for half of the window.
    #[doc(alias = "slidingWindowSize")]
    #[doc(alias = "SamplingDuration")]
    pub fn window(self, window: Duration) -> Self {
        self.set(|settings| settings.set_window(window))
    }

    /// Sets the number of consecutive failures that opens the circuit, in addition to
    /// [`failure_ratio`](Self::failure_ratio). Default: off.
    ///
    /// A success resets the count, but time does not. The count of a [key](Self::per_key) is lost
    /// when its circuit is evicted. To open the circuit only by consecutive failures, use
    /// [`without_failure_ratio`](Self::without_failure_ratio).
    #[doc(alias = "consecutive_5xx")]
    #[doc(alias = "handledEventsAllowedBeforeBreaking")]
    pub fn consecutive_failures(self, failures: NonZeroU32) -> Self {
        self.set(|settings| settings.consecutive_failures = Some(failures))
    }

    /// Disables opening by consecutive failures.
    pub fn without_consecutive_failures(self) -> Self {
        self.set(|settings| settings.consecutive_failures = None)
    }

    /// Sets the duration from which a call counts as a failure, even if its caller drops it or it
    /// succeeds. Default: off. With a circuit per key, the duration excludes the waits for the
    /// caller's request body that a `RetryLayer` around this layer records.
    #[doc(alias = "slowCallDurationThreshold")]
    pub fn slow_call_threshold(self, time: Duration) -> Self {
        self.set(|settings| settings.slow_call_threshold = Some(time))
    }

    /// Sets how long the circuit stays open before it admits probes. Default: 2 s.
    ///
    /// Each time that the probes fail, the duration grows by a factor of 1.5, up to
    /// [`max_open_duration`](Self::max_open_duration). Jitter subtracts up to 20 %, so that clients
    /// do not probe in lockstep.
    #[doc(alias = "waitDurationInOpenState")]
    #[doc(alias = "BreakDuration")]
    pub fn open_duration(self, time: Duration) -> Self {
        self.set(|settings| settings.open_duration = time)
    }

    /// Sets the maximum to which [`open_duration`](Self::open_duration) grows. Default: 5 s.
    ///
    /// In simulated outages, calls succeed at most 3.3 s after the upstream recovers. With a maximum of
    /// 8 s, they succeed after at most 7.3 s.
    pub fn max_open_duration(self, time: Duration) -> Self {
        self.set(|settings| settings.max_open_duration = time)
    }

    /// Sets the maximum time that the `Retry-After` of a failure keeps the circuit open. Zero
    /// ignores the header. Default: 30 s.
    pub fn max_retry_after(self, max: Duration) -> Self {
        self.set(|settings| settings.max_retry_after = max)
    }

    /// Sets the number of calls that pass as probes while the circuit is half-open. Probes in
    /// flight and results both count toward it. Default: 5.
    ///
    /// The circuit opens again as soon as the failed probes reach
    /// [`failure_ratio`](Self::failure_ratio). It closes as soon as they can no longer reach it.
    #[doc(alias = "permittedNumberOfCallsInHalfOpenState")]
    pub fn half_open_probes(self, probes: NonZeroU32) -> Self {
        self.set(|settings| settings.half_open_probes = probes)
    }

    /// Sets how long a probe occupies its slot. Default: 30 s. Minimum: 10 ms.
    ///
    /// After that time another call may take the slot, so calls that never end do not keep the
    /// circuit half-open. The result of the first probe still counts.
    pub fn probe_timeout(self, time: Duration) -> Self {
        self.set(|settings| settings.set_probe_timeout(time))
    }

    /// Sets whether errors of the origin itself (500, 501, 505 and others) count as failures.
    /// Default: `false`.
    ///
    /// If they count, one broken route opens the circuit for all routes of its host.
    pub fn count_origin_errors(self, count: bool) -> Self {
        self.set(|settings| settings.count_origin_errors = count)
    }

    /// Sets the predicate that selects the failures that count. It replaces the rules in the
    /// [module docs](super).
    ///
    /// A failure that it does not select counts as a success if there was a response, and as
    /// neither otherwise. The closure runs on the task that polls the call, so it must not block.
    ///
    /// ```
    /// use seawall::{circuit_breaker::CircuitBreakerLayer, Cause};
    ///
    /// let layer = CircuitBreakerLayer::new().failure_predicate(|failure| {
    ///     matches!(failure.cause(), Cause::RateLimited | Cause::Overloaded)
    /// });
    /// # let _ = layer;
    /// ```
    #[doc(alias = "ShouldHandle")]
    #[doc(alias = "recordException")]
    pub fn failure_predicate(
        self,
        is_counted: impl Fn(&Failure) -> bool + Send + Sync + 'static,
    ) -> Self {
        let predicate = FailurePredicate(Some(Arc::new(is_counted)));
        self.set(|settings| settings.failure_predicate = predicate)
    }

    /// Sets the readiness of a service while its circuit is open. It has no effect with a circuit
    /// per key. Default: [`Reject`](OpenBehavior::Reject).
    ///
    /// With [`Backpressure`](OpenBehavior::Backpressure) the service is pending until the next
    /// probe can pass, so `tower::balance` selects another instance. With `Reject`, an instance
    /// that rejects calls has the least load, so a balancer by load would send it most of the
    /// calls. Without a balancer, `Backpressure` makes callers wait.
    ///
    /// With `Backpressure`, `poll_ready` needs a tokio runtime while the circuit is open.
    pub fn open_behavior(self, open_behavior: OpenBehavior) -> Self {
        self.set(|settings| settings.open_behavior = open_behavior)
    }

    /// Sets whether the breaker only counts and reports, and never rejects. Use it to evaluate
    /// settings. Default: `false`.
    #[doc(alias = "METRICS_ONLY")]
    pub fn dry_run(self, dry_run: bool) -> Self {
        self.set(|settings| settings.dry_run = dry_run)
    }

    pub(crate) fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::clone(&self.settings);
        change(&mut settings);
        self.settings = Arc::new(settings);
        self.selector = self.selector.configure(&self.settings);
        self
    }
}

impl<C: Clone, K: ConfigureCircuits + Clone, Completion> Clone
    for CircuitBreakerLayer<C, K, Completion>
{
    fn clone(&self) -> Self {
        self.selector.mark_in_use();
        Self {
            classifier: self.classifier.clone(),
            selector: self.selector.clone(),
            settings: Arc::clone(&self.settings),
            completion: PhantomData,
        }
    }
}

impl<S: Clone, C: Clone, K: ConfigureCircuits + Clone, Completion> Layer<S>
    for CircuitBreakerLayer<C, K, Completion>
{
    type Service = CircuitBreaker<S, C, K, Completion>;

    fn layer(&self, inner: S) -> Self::Service {
        self.selector.mark_in_use();
        CircuitBreaker {
            inner,
            classifier: self.classifier.clone(),
            selector: self.selector.clone(),
            readiness: Readiness::new(self.settings.open_behavior, self.settings.dry_run),
            completion: PhantomData,
        }
    }
}
