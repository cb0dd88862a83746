use std::{borrow::Cow, sync::Arc, time::Duration};

use http::{Method, Uri};
use seawall_core::classify::HttpClassifier;
use tower_layer::Layer;

use super::{
    Backoff, Budget, ClonedCallAdapter, HttpCallAdapter, IdentityBody, Retry, RetryEvent,
    RetryOverride,
    event::Hook,
    policy::{Methods, Policy},
    settings::Settings,
};
use crate::{budget::BudgetScope, keys::UriKey, sharded_arc::ShardedArc};

/// A layer that applies [`Retry`]. See the [module docs](super) for the rules and an example.
///
/// A service keeps the settings of the layer that created it.
#[doc(alias = "urllib3")]
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct RetryLayer<C = HttpClassifier, P = HttpCallAdapter> {
    pub(super) classifier: C,
    pub(super) adapter: P,
    pub(super) settings: ShardedArc<Settings>,
}

impl RetryLayer {
    /// Creates a layer that retries HTTP requests, with the defaults in the [module docs](super).
    pub fn new() -> Self {
        Self {
            classifier: HttpClassifier::new(),
            adapter: HttpCallAdapter { convert: IdentityBody::default() },
            settings: ShardedArc::default(),
        }
    }
}

impl RetryLayer {
    /// Creates a layer that sends each request once and buffers no body. A request with a
    /// [`RetryOverride`](super::RetryOverride) is still retried.
    pub fn disabled() -> Self {
        Self::new().max_retries(0).max_replay_bytes(0)
    }
}

impl Default for RetryLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<C, P> RetryLayer<C, P> {
    /// Sets the classifier of responses and errors. Default: [`HttpClassifier`].
    pub fn classifier<C2>(self, classifier: C2) -> RetryLayer<C2, P> {
        RetryLayer { classifier, adapter: self.adapter, settings: self.settings }
    }

    /// Retries any request that is `Clone`, HTTP or not, by cloning it.
    ///
    /// Every request counts as safe to retry. A [`classifier`](Self::classifier) can forbid a retry
    /// by [`with_retry_hint(Some(false))`](crate::Failure::with_retry_hint).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), seawall::BoxError> {
    /// use std::{error::Error, io};
    /// use seawall::{classify::{classify_error, classify_fn}, retry::RetryLayer};
    /// use tower::{ServiceBuilder, ServiceExt};
    ///
    /// let mut tries = 0;
    /// let echo = ServiceBuilder::new()
    ///     .layer(RetryLayer::new().clone_requests().classifier(classify_fn(
    ///         |outcome: Result<&String, &(dyn Error + 'static)>| outcome.err().map(classify_error),
    ///     )))
    ///     .service_fn(move |text: String| {
    ///         tries += 1;
    ///         std::future::ready(match tries {
    ///             1 => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
    ///             _ => Ok(text),
    ///         })
    ///     });
    /// # let _ = echo;
    /// # Ok(())
    /// # }
    /// ```
    pub fn clone_requests(self) -> RetryLayer<C, ClonedCallAdapter> {
        RetryLayer {
            classifier: self.classifier,
            adapter: ClonedCallAdapter {},
            settings: self.settings,
        }
    }

    /// Sets the maximum number of retries of a call, not counting the first attempt. Default: 4.
    ///
    /// The fourth retry matters if 10 % of the attempts fail, such as behind a load balancer with a
    /// restarting instance. With 3 retries, one call in 10,000 fails. With 4, one in 100,000 fails.
    /// During an outage, the [`budget`](Self::budget) limits retries. While there are few calls,
    /// the default budget allows 3 in 10 s: for more than 3 retries of a single call, set a budget
    /// with a larger minimum. An event at INFO reports the first call that needs one.
    #[doc(alias = "total")]
    #[doc(alias = "MaxRetryAttempts")]
    #[doc(alias = "maxAttempts")]
    pub fn max_retries(self, max: u32) -> Self {
        self.set(|policy| policy.limits.total = Some(max))
    }

    /// Removes the limit on the total number of retries. The budget, the deadline and the limits
    /// per kind of failure still apply.
    pub fn without_max_retries(self) -> Self {
        self.set(|policy| policy.limits.total = None)
    }

    /// Sets the maximum number of retries after failures to connect: DNS errors, refused
    /// connections, connect timeouts.
    ///
    /// By default, only [`max_retries`](Self::max_retries) applies.
    #[doc(alias = "connect")]
    pub fn max_connect_retries(self, max: u32) -> Self {
        self.set(|policy| policy.limits.connect = Some(max))
    }

    /// Sets the maximum number of retries after a connection fails: closed, reset, timed out, not
    /// HTTP.
    ///
    /// By default, only [`max_retries`](Self::max_retries) applies.
    #[doc(alias = "read")]
    pub fn max_read_retries(self, max: u32) -> Self {
        self.set(|policy| policy.limits.read = Some(max))
    }

    /// Sets the maximum number of retries because of a response's status
    /// ([`retry_statuses`](Self::retry_statuses)).
    ///
    /// By default, only [`max_retries`](Self::max_retries) applies.
    #[doc(alias = "status")]
    pub fn max_status_retries(self, max: u32) -> Self {
        self.set(|policy| policy.limits.status = Some(max))
    }

    /// Sets the maximum number of retries after other errors, such as TLS errors.
    ///
    /// By default, only [`max_retries`](Self::max_retries) applies.
    #[doc(alias = "other")]
    pub fn max_other_retries(self, max: u32) -> Self {
        self.set(|policy| policy.limits.other = Some(max))
    }

    /// Sets the methods that are retried even if the request may have been processed. Default: the
    /// idempotent methods of RFC 9110 §9.2.2 (GET, HEAD, PUT, DELETE, OPTIONS, TRACE).
    #[doc(alias = "allowed_methods")]
    pub fn retry_methods(self, methods: impl IntoIterator<Item = Method>) -> Self {
        let methods = Methods::Only(methods.into_iter().collect());
        self.set(|policy| policy.methods = methods)
    }

    pub(crate) fn idempotent_methods(self) -> Self {
        self.set(|policy| policy.methods = Methods::Idempotent)
    }

    /// Retries requests of every method, **even if they may have been processed**. Use it only for
    /// an upstream where a repeated request is harmless.
    pub fn retry_all_methods(self) -> Self {
        self.set(|policy| policy.methods = Methods::Any)
    }

    /// Sets the statuses that are retried. Default: 429, 500, 502, 503, 504.
    ///
    /// A status below 400 is allowed, such as 202 for a result that is not ready. A number that is
    /// not a valid status never matches.
    #[doc(alias = "status_forcelist")]
    #[doc(alias = "retriable_status_codes")]
    pub fn retry_statuses(self, statuses: impl IntoIterator<Item = u16>) -> Self {
        let statuses: Vec<u16> = statuses.into_iter().collect();
        self.set(|policy| {
            policy.retryable_success_statuses =
                statuses.iter().copied().filter(|&status| status < 400).collect();
            policy.statuses = statuses;
        })
    }

    /// Sets further statuses that are retried if the response has `Retry-After`. Default: none.
    ///
    /// It takes effect only if the number of retries is limited
    /// ([`max_retries`](Self::max_retries)) and [`respect_retry_after`](Self::respect_retry_after)
    /// is on. The equivalent list of urllib3 is 413, 429 and 503.
    #[doc(alias = "RETRY_AFTER_STATUS_CODES")]
    pub fn retry_statuses_with_retry_after(self, statuses: impl IntoIterator<Item = u16>) -> Self {
        let statuses = statuses.into_iter().collect();
        self.set(|policy| policy.retry_after.statuses = statuses)
    }

    /// Sets the delays of retries for which the server requests none. Default:
    /// [`Backoff::default`].
    #[doc(alias = "backoff_factor")]
    pub fn backoff(self, backoff: Backoff) -> Self {
        self.set(|policy| policy.backoff = backoff)
    }

    /// Replaces the backoff with the delay that the server requests (`Retry-After`,
    /// `retry-after-ms`, gRPC pushback). Default: `true`.
    ///
    /// Jitter adds up to 10 %. If the requested delay is zero, the backoff applies, unless the
    /// server requests a retry (`x-should-retry: true`, gRPC pushback).
    #[doc(alias = "respect_retry_after_header")]
    pub fn respect_retry_after(self, respect: bool) -> Self {
        self.set(|policy| policy.retry_after.respect = respect)
    }

    /// Sets the maximum delay that a server may request. A response that requests a longer delay is
    /// returned without a retry. Default: 20 s.
    #[doc(alias = "retry_after_max")]
    pub fn max_retry_after(self, max: Duration) -> Self {
        self.set(|policy| policy.retry_after.max = max)
    }

    /// Clamps the delay that a server requests to [`max_retry_after`](Self::max_retry_after) and
    /// retries, as urllib3 does. Default: `false`, the response is returned.
    pub fn clamp_retry_after(self, clamp: bool) -> Self {
        self.set(|policy| policy.retry_after.clamp = clamp)
    }

    /// Adds up to 10 % jitter to the delay that a server requests, so that callers do not retry in
    /// lockstep. Default: `true`.
    pub fn jitter_retry_after(self, jitter: bool) -> Self {
        self.set(|policy| policy.retry_after.jitter = jitter)
    }

    /// Sets the maximum sum of all delays of a call. Default: 30 s.
    pub fn max_total_delay(self, max: Duration) -> Self {
        self.set(|policy| policy.max_total_delay = max)
    }

    /// Retries any method if a response indicates that the request was not processed
    /// ([`Processed::Unlikely`](crate::Processed::Unlikely)). A response is no proof.
    /// Default: `false`.
    pub fn retry_if_probably_unprocessed(self, retry: bool) -> Self {
        self.set(|policy| policy.retry_if_probably_unprocessed = retry)
    }

    /// Retries calls that an open circuit or an in-flight limit rejects. Use it with a load
    /// balancer inside the retry layer, where another attempt reaches another instance. Default:
    /// `false`.
    pub fn retry_rejections(self, retry: bool) -> Self {
        self.set(|policy| policy.retry_rejections = retry)
    }

    /// Returns [`RetriesExhausted`](super::RetriesExhausted) instead of a response if only a limit
    /// prevents its retry. The error has the head of the response. Default: `false`, the response
    /// is returned.
    #[doc(alias = "raise_on_status")]
    pub fn error_on_exhausted_status(self, raise: bool) -> Self {
        self.set(|policy| policy.error_on_exhausted_status = raise)
    }

    /// Sets the minimum time of an attempt. No retry starts with less time before the request's
    /// [`Deadline`](crate::Deadline). Default: zero.
    pub fn min_attempt_time(self, time: Duration) -> Self {
        self.set(|policy| policy.min_attempt = time)
    }

    /// Sets the label `key` of the layer's metrics, such as the name of the upstream. Default: no
    /// label.
    ///
    /// With one [budget per key](Self::budget_per_key), requests with a key have that key instead.
    pub fn named(mut self, name: &str) -> Self {
        self.settings.update(|settings| settings.name = Some(name.into()));
        self
    }

    /// Sets the name, unless the layer has one.
    pub(crate) fn default_name(mut self, name: &Arc<str>) -> Self {
        self.settings.update(|settings| {
            settings.name.get_or_insert_with(|| Arc::clone(name));
        });
        self
    }

    /// Sets the limit of the retries of all calls together. Default: [`Budget::default`], one per
    /// layer created by [`new`](RetryLayer::new), shared by its clones.
    #[doc(alias = "retry_budget")]
    pub fn budget(self, budget: Budget) -> Self {
        self.set_budgets(BudgetScope::Shared(Arc::new(budget)))
    }

    /// Sets one budget per key, each with the limits of `budget`, so that an outage of one upstream
    /// does not use up the retries of another. [`by_authority`](crate::keys::by_authority) keys by
    /// host and port.
    ///
    /// At most 4,096 keys have a budget. A key that no call has used for about 10 seconds is
    /// replaced by a new key. Further keys, keys above 1,024 bytes, and requests without a key
    /// share `budget` itself.
    ///
    /// ```
    /// use seawall::{keys::by_authority, retry::{Budget, RetryLayer}};
    ///
    /// let layer = RetryLayer::new().budget_per_key(Budget::default(), by_authority);
    /// # let _ = layer;
    /// ```
    pub fn budget_per_key(
        self,
        budget: Budget,
        key_fn: impl for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> Self {
        self.set_budgets(BudgetScope::per_key(budget, UriKey::new(key_fn)))
    }

    fn set_budgets(mut self, budgets: BudgetScope) -> Self {
        self.settings.update(|settings| {
            settings.budgets = budgets;
            settings.is_budget_set = true;
        });
        self
    }

    /// Sets the time limit from the call to the response's head, including all attempts and delays.
    /// Default: no limit.
    ///
    /// An earlier [`Deadline`](crate::Deadline) of the request ends the call too. A call whose
    /// deadline has already passed is not sent. The error is [`Elapsed`](crate::Elapsed),
    /// wrapped in [`RetriesExhausted`](super::RetriesExhausted) after more than one attempt.
    /// Without a total timeout, a request's deadline only prevents further attempts.
    ///
    /// A [`RetryOverride`](super::RetryOverride) does not change it.
    pub fn total_timeout(mut self, timeout: Duration) -> Self {
        self.settings.update(|settings| settings.time_limits.total_timeout = Some(timeout));
        self
    }

    /// Sets the time before a deadline that is reserved for the next hop. No retry starts with
    /// less. Default: zero.
    ///
    /// A [`RetryOverride`](super::RetryOverride) does not change it.
    pub fn deadline_margin(mut self, margin: Duration) -> Self {
        self.settings.update(|settings| settings.time_limits.deadline_margin = margin);
        self
    }

    /// Sets a callback that runs before the delay of each retry, on the task that polls the call.
    /// It must not block.
    #[doc(alias = "OnRetry")]
    pub fn on_retry(self, hook: impl Fn(&RetryEvent) + Send + Sync + 'static) -> Self {
        self.set(|policy| policy.on_retry = Hook(Some(Arc::new(hook))))
    }

    pub(crate) fn set(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        self.settings.update(|settings| change(Arc::make_mut(&mut settings.policy)));
        self
    }
}

impl RetryOverride {
    /// Creates an override with the settings of `layer`. A clone only increments a reference count.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "callers build the layer in the argument")]
    pub fn new<C, P>(layer: RetryLayer<C, P>) -> Self {
        Self { policy: Arc::clone(&layer.settings.policy) }
    }
}

impl<S: Clone, C: Clone, P: Clone> Layer<S> for RetryLayer<C, P> {
    type Service = Retry<S, C, P>;

    fn layer(&self, inner: S) -> Self::Service {
        Retry {
            inner,
            classifier: self.classifier.clone(),
            adapter: self.adapter.clone(),
            settings: self.settings.clone(),
        }
    }
}
