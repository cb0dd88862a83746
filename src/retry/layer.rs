use std::{borrow::Cow, sync::Arc, time::Duration};

use http::{HeaderName, Method, Uri};
use seawall_core::classify::HttpClassifier;
use tower_layer::Layer;

use super::{
    Backoff, Budget, ClonedCallAdapter, HttpCallAdapter, IdentityBody, MappedBody, ReplayBody,
    Retry, RetryEvent, RetryOverride,
    event::Hook,
    policy::{Methods, Policy},
    settings::Settings,
};
use crate::{budget::BudgetScope, sharded_arc::ShardedArc};

/// Applies [`Retry`]. The [module docs](super) have the rules and an example.
///
/// A service keeps the settings of the layer that made it.
#[doc(alias = "urllib3")]
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct RetryLayer<C = HttpClassifier, P = HttpCallAdapter> {
    pub(super) classifier: C,
    pub(super) adapter: P,
    pub(super) settings: ShardedArc<Settings>,
}

impl RetryLayer {
    /// Retries HTTP requests, by the defaults in the [module docs](super).
    pub fn new() -> Self {
        Self {
            classifier: HttpClassifier::new(),
            adapter: HttpCallAdapter { convert: IdentityBody::default() },
            settings: ShardedArc::default(),
        }
    }
}

impl RetryLayer {
    /// Sends each request once and keeps none of it. A request with a [`RetryOverride`](super::RetryOverride) is retried by that.
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
    /// Classifies responses and errors by `classifier`, in place of [`HttpClassifier`].
    pub fn classifier<C2>(self, classifier: C2) -> RetryLayer<C2, P> {
        RetryLayer { classifier, adapter: self.adapter, settings: self.settings }
    }

    /// Retries any request that is `Clone`, HTTP or not, by cloning it.
    ///
    /// Each request counts as safe to send again. A [`classifier`](Self::classifier) can forbid a retry by
    /// [`with_retry_hint(Some(false))`](crate::Failure::with_retry_hint).
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
            adapter: ClonedCallAdapter::default(),
            settings: self.settings,
        }
    }

    /// Sets the maximum number of retries of a call, without the first attempt. `None` removes the limit. Default: 4.
    ///
    /// The fourth retry matters where one attempt in ten fails, as behind a balancer with a restarting instance. Three retries
    /// leave one call in 10,000 failed, four one in 100,000. During an outage the [`budget`](Self::budget) limits retries.
    #[doc(alias = "total")]
    #[doc(alias = "MaxRetryAttempts")]
    #[doc(alias = "maxAttempts")]
    pub fn max_retries(self, max: impl Into<Option<u32>>) -> Self {
        let max = max.into();
        self.set(|policy| policy.limits.total = max)
    }

    /// Sets the maximum number of retries after failures to connect: DNS errors, refused connections, connect timeouts.
    /// `None` leaves the limit to [`max_retries`](Self::max_retries). Default: `None`.
    #[doc(alias = "connect")]
    pub fn max_connect_retries(self, max: impl Into<Option<u32>>) -> Self {
        let max = max.into();
        self.set(|policy| policy.limits.connect = max)
    }

    /// Sets the maximum number of retries after a connection fails: closed, reset, timed out, not HTTP.
    /// `None` leaves the limit to [`max_retries`](Self::max_retries). Default: `None`.
    #[doc(alias = "read")]
    pub fn max_read_retries(self, max: impl Into<Option<u32>>) -> Self {
        let max = max.into();
        self.set(|policy| policy.limits.read = max)
    }

    /// Sets the maximum number of retries of responses, by their status ([`retry_statuses`](Self::retry_statuses)).
    /// `None` leaves the limit to [`max_retries`](Self::max_retries). Default: `None`.
    #[doc(alias = "status")]
    pub fn max_status_retries(self, max: impl Into<Option<u32>>) -> Self {
        let max = max.into();
        self.set(|policy| policy.limits.status = max)
    }

    /// Sets the maximum number of retries after other errors, such as those of TLS.
    /// `None` leaves the limit to [`max_retries`](Self::max_retries). Default: `None`.
    #[doc(alias = "other")]
    pub fn max_other_retries(self, max: impl Into<Option<u32>>) -> Self {
        let max = max.into();
        self.set(|policy| policy.limits.other = max)
    }

    /// Sets the methods that are retried even if the request may have been processed. Default: the idempotent methods of
    /// RFC 9110 §9.2.2 (GET, HEAD, PUT, DELETE, OPTIONS, TRACE).
    #[doc(alias = "allowed_methods")]
    pub fn retry_methods(self, methods: impl IntoIterator<Item = Method>) -> Self {
        let methods = Methods::Only(methods.into_iter().collect());
        self.set(|policy| policy.methods = methods)
    }

    pub(crate) fn idempotent_methods(self) -> Self {
        self.set(|policy| policy.methods = Methods::Idempotent)
    }

    /// Retries requests of every method, **even if they may have been processed**. Use it only for an upstream where a
    /// repeated request does no harm.
    pub fn retry_all_methods(self) -> Self {
        self.set(|policy| policy.methods = Methods::Any)
    }

    /// Sets the statuses that are retried. A status below 400 is allowed, such as a 202 that means "not ready yet". A number
    /// that is no status never matches. Default: 429, 500, 502, 503, 504.
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

    /// Sets further statuses that are retried if the response has `Retry-After`. It takes effect while
    /// [`max_retries`](Self::max_retries) is a number and [`respect_retry_after`](Self::respect_retry_after) is on.
    /// urllib3 does so for 413, 429 and 503. Default: none.
    #[doc(alias = "RETRY_AFTER_STATUS_CODES")]
    pub fn retry_statuses_with_retry_after(self, statuses: impl IntoIterator<Item = u16>) -> Self {
        let statuses = statuses.into_iter().collect();
        self.set(|policy| policy.retry_after.statuses = statuses)
    }

    /// Sets the wait before a retry for which the server asks no wait. Default: [`Backoff::default`].
    #[doc(alias = "backoff_factor")]
    pub fn backoff(self, backoff: Backoff) -> Self {
        self.set(|policy| policy.backoff = backoff)
    }

    /// Waits as long as the server asks (`Retry-After`, `retry-after-ms`, gRPC pushback), in place of the backoff.
    /// Default: `true`.
    ///
    /// Jitter adds up to a tenth. A wait of zero leaves the wait to the backoff, unless the server asks for a retry
    /// (`x-should-retry: true`, gRPC pushback).
    #[doc(alias = "respect_retry_after_header")]
    pub fn respect_retry_after(self, respect: bool) -> Self {
        self.set(|policy| policy.retry_after.respect = respect)
    }

    /// Sets the longest wait that a server may ask for. A response that asks for more is returned at once. Default: 20 s.
    #[doc(alias = "retry_after_max")]
    pub fn max_retry_after(self, max: Duration) -> Self {
        self.set(|policy| policy.retry_after.max = max)
    }

    /// Waits for [`max_retry_after`](Self::max_retry_after) if the server asks for more, as urllib3 does, and retries.
    /// Default: `false`, the response is returned.
    pub fn clamp_retry_after(self, cap: bool) -> Self {
        self.set(|policy| policy.retry_after.cap = cap)
    }

    /// Adds a random time to the wait that a server asks for, up to a tenth of it. Callers with the same wait then do not
    /// return together. Default: `true`.
    pub fn retry_after_jitter(self, jitter: bool) -> Self {
        self.set(|policy| policy.retry_after.jitter = jitter)
    }

    /// Sets the maximum of all waits of a call together. Default: 30 s.
    pub fn max_total_delay(self, max: Duration) -> Self {
        self.set(|policy| policy.max_total_delay = max)
    }

    /// Retries any method if a response indicates that the request was not processed
    /// ([`Processed::Unlikely`](crate::Processed::Unlikely)). A response is no proof. Default: `false`.
    pub fn retry_if_probably_unprocessed(self, retry: bool) -> Self {
        self.set(|policy| policy.retry_if_probably_unprocessed = retry)
    }

    /// Retries calls that an open circuit or an in-flight limit rejects. It is for a balancer inside the retry, where
    /// another attempt reaches another instance. Default: `false`.
    pub fn retry_rejections(self, retry: bool) -> Self {
        self.set(|policy| policy.retry_rejections = retry)
    }

    /// Returns [`RetriesExhausted`](super::RetriesExhausted) in place of a response that only a limit keeps from being
    /// retried. The error has the head of the response. Default: `false`, the response is returned.
    #[doc(alias = "raise_on_status")]
    pub fn error_on_exhausted_status(self, raise: bool) -> Self {
        self.set(|policy| policy.error_on_exhausted_status = raise)
    }

    /// Sets the minimum time of an attempt. No attempt begins that has less before the request's
    /// [`Deadline`](crate::Deadline). Default: zero.
    pub fn min_attempt_time(self, time: Duration) -> Self {
        self.set(|policy| policy.min_attempt = time)
    }

    /// Sets the limit of the retries of all calls together. Default: [`Budget::default`], one for each layer made by
    /// [`new`](RetryLayer::new), shared by its clones.
    #[doc(alias = "retry_budget")]
    pub fn budget(self, budget: Budget) -> Self {
        self.set_budgets(BudgetScope::One(Arc::new(budget)))
    }

    /// Gives each key a budget with the limits of `budget`, so that an outage of one upstream does not spend the retries of
    /// another. [`by_authority`](super::by_authority) keys by host and port.
    ///
    /// At most 4,096 keys have a budget. A key that no call has used for some ten seconds makes room for another. Further
    /// keys, keys above 1,024 bytes, and requests without a key share `budget` itself.
    ///
    /// ```
    /// use seawall::retry::{by_authority, Budget, RetryLayer};
    ///
    /// let layer = RetryLayer::new().budget_per_key(Budget::default(), by_authority);
    /// # let _ = layer;
    /// ```
    pub fn budget_per_key(
        self,
        budget: Budget,
        key_fn: impl for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> Self {
        self.set_budgets(BudgetScope::per_key(budget, key_fn))
    }

    fn set_budgets(mut self, budgets: BudgetScope) -> Self {
        self.settings.update(|settings| {
            settings.budgets = budgets;
            settings.has_own_budget = true;
        });
        self
    }

    /// Sets the time limit of a call, from the call to the response's head, with all attempts and waits. `None` removes it.
    /// Default: `None`.
    ///
    /// A request's own [`Deadline`](crate::Deadline) ends the call too, if it is sooner. A call whose deadline has passed
    /// before it begins is not sent. The error is [`Elapsed`](crate::timeout::Elapsed), inside [`RetriesExhausted`](super::RetriesExhausted)
    /// after more than one attempt. Without a total timeout a request's deadline only keeps attempts from being begun.
    ///
    /// A [`RetryOverride`](super::RetryOverride) does not change it.
    pub fn total_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        let timeout = timeout.into();
        self.settings.update(|settings| settings.time_limits.total_timeout = timeout);
        self
    }

    /// Sets the time before a deadline that is left to the next hop. No attempt begins that would have less. Default: zero.
    ///
    /// A [`RetryOverride`](super::RetryOverride) does not change it.
    pub fn deadline_margin(mut self, margin: Duration) -> Self {
        self.settings.update(|settings| settings.time_limits.deadline_margin = margin);
        self
    }

    /// Calls `hook` before the wait of each retry, on the task that polls the call. It must not block.
    #[doc(alias = "OnRetry")]
    pub fn on_retry(self, hook: impl Fn(&RetryEvent) + Send + Sync + 'static) -> Self {
        self.set(|policy| policy.on_retry = Hook(Some(Arc::new(hook))))
    }

    fn set(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        self.settings.update(|settings| change(Arc::make_mut(&mut settings.policy)));
        self
    }
}

impl<C, F> RetryLayer<C, HttpCallAdapter<F>> {
    /// Sets the maximum number of bytes of a request's body that are kept for retries. A request with a longer body, or with
    /// more than 1,024 frames, is sent once. Default: 64 KiB.
    pub fn max_replay_bytes(self, bytes: usize) -> Self {
        self.set(|policy| policy.max_replay_bytes = bytes)
    }

    /// Sets the time to read the body of a response that is retried, so that its HTTP/1.1 connection can be reused. It ends
    /// with the wait for the retry. A body above 16 KiB or 64 frames is dropped at once. Default: 50 ms.
    pub fn drain_timeout(self, time: Duration) -> Self {
        self.set(|policy| policy.drain_timeout = time)
    }

    /// Sets the name of a header with the number of the attempt, from the second attempt (`2`) on. Default: `None`, no header.
    pub fn attempt_header(self, name: impl Into<Option<HeaderName>>) -> Self {
        let name = name.into();
        self.set(|policy| policy.attempt_header = name)
    }

    /// Converts each attempt's body by `convert`, for a client that takes one type of body:
    ///
    /// ```
    /// # use seawall::retry::RetryLayer;
    /// # fn example(channel: tonic::transport::Channel) {
    /// let client = tower::ServiceBuilder::new()
    ///     .layer(RetryLayer::new().map_body(tonic::body::Body::new))
    ///     .service(channel);
    /// # fn check(_: impl tower::Service<http::Request<tonic::body::Body>>) {}
    /// # check(client);
    /// # }
    /// ```
    pub fn map_body<B, B2, G>(self, convert: G) -> RetryLayer<C, HttpCallAdapter<MappedBody<G>>>
    where
        G: Fn(ReplayBody<B>) -> B2,
    {
        RetryLayer {
            classifier: self.classifier,
            adapter: HttpCallAdapter { convert: MappedBody(convert) },
            settings: self.settings,
        }
    }
}

impl RetryOverride {
    /// Takes the settings of `layer`. A clone is cheap: it increments a reference count.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "as a setter would take it")]
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
