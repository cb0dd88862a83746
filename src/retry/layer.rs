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
use crate::{
    budget::{BudgetScope, PerKeyBudgets},
    sharded_arc::ShardedArc,
};

/// Applies [`Retry`]. See the [module docs](super) for what it decides and an example.
///
/// Settings take effect on calls that begin afterwards. Services already made keep those they were made with.
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
    /// Sends each request once, and keeps nothing of it. A request that brings an [`RetryOverride`](super::RetryOverride) is retried by that.
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
    /// Decides by `classifier` what is a failure, in place of [`HttpClassifier`].
    pub fn classifier<C2>(self, classifier: C2) -> RetryLayer<C2, P> {
        RetryLayer { classifier, adapter: self.adapter, settings: self.settings }
    }

    /// Retries any request that is `Clone`, HTTP or not, by cloning it.
    ///
    /// Nothing is known of such a request, so each counts as safe to send again. Give a
    /// [`classifier`](Self::classifier) too, which can forbid it by
    /// [`with_retry_hint(Some(false))`](crate::Failure::with_retry_hint).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), seawall::BoxError> {
    /// use std::{error::Error, io};
    /// use seawall::{RetryLayer, classify::classify_error, classify_fn};
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

    /// How many retries a call has, the first attempt not counted; `None`: as many as its time allows. Default: 4.
    ///
    /// Not 3, as urllib3's users have it: where one request of ten fails by chance, as behind a balancer with an instance
    /// that restarts, three leave one call of ten thousand failed, and the fourth one of a hundred thousand. In the storms
    /// of `docs/storms.md` it mended the last failures of rolling restarts and of connections that were closed meanwhile,
    /// and cost nothing in any outage, where the [`budget`](Self::budget) has the last word.
    #[doc(alias = "total")]
    #[doc(alias = "MaxRetryAttempts")]
    #[doc(alias = "maxAttempts")]
    pub fn max_retries(self, total: impl Into<Option<u32>>) -> Self {
        let total = total.into();
        self.set(|policy| policy.limits.total = total)
    }

    /// How many retries of failures to connect a call has: name lookup, refused, timed out, no route. `None`: as many
    /// as the total allows. Default: `None`.
    #[doc(alias = "connect")]
    pub fn max_connect_retries(self, connect: impl Into<Option<u32>>) -> Self {
        let connect = connect.into();
        self.set(|policy| policy.limits.connect = connect)
    }

    /// How many retries of connections that failed after connecting a call has: closed, reset, silent, not HTTP.
    /// `None`: as many as the total allows. Default: `None`.
    #[doc(alias = "read")]
    pub fn max_read_retries(self, read: impl Into<Option<u32>>) -> Self {
        let read = read.into();
        self.set(|policy| policy.limits.read = read)
    }

    /// How many retries of responses with a status of the forcelist a call has. `None`: as many as the total allows.
    /// Default: `None`.
    #[doc(alias = "status")]
    pub fn max_status_retries(self, status: impl Into<Option<u32>>) -> Self {
        let status = status.into();
        self.set(|policy| policy.limits.status = status)
    }

    /// How many retries of other errors a call has, such as those of TLS. `None`: as many as the total allows.
    /// Default: `None`.
    #[doc(alias = "other")]
    pub fn max_other_retries(self, other: impl Into<Option<u32>>) -> Self {
        let other = other.into();
        self.set(|policy| policy.limits.other = other)
    }

    /// Which methods may be sent again when the request may have been processed. Default: the idempotent ones of
    /// RFC 9110 §9.2.2 (GET, HEAD, PUT, DELETE, OPTIONS, TRACE).
    #[doc(alias = "allowed_methods")]
    pub fn retry_methods(self, methods: impl IntoIterator<Item = Method>) -> Self {
        let methods = Methods::Only(methods.into_iter().collect());
        self.set(|policy| policy.methods = methods)
    }

    pub(crate) fn idempotent_methods(self) -> Self {
        self.set(|policy| policy.methods = Methods::Idempotent)
    }

    /// Lets requests of every method be sent again, **even when they may have been processed**: only for an upstream
    /// where repeating a request does no harm.
    pub fn retry_all_methods(self) -> Self {
        self.set(|policy| policy.methods = Methods::Any)
    }

    /// Which statuses are retried, those below 400 too, such as a 202 that means "not ready yet". Numbers that are no
    /// status never match. Default: 429, 500, 502, 503, 504.
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

    /// Statuses that are retried as well if they say `Retry-After`, as long as retries of a limited
    /// [`max_retries`](Self::max_retries) are left and [`respect_retry_after`](Self::respect_retry_after) is on. urllib3 does so
    /// with 413, 429 and 503. Default: none.
    #[doc(alias = "RETRY_AFTER_STATUS_CODES")]
    pub fn retry_statuses_with_retry_after(self, statuses: impl IntoIterator<Item = u16>) -> Self {
        let statuses = statuses.into_iter().collect();
        self.set(|policy| policy.retry_after.statuses = statuses)
    }

    /// How long to wait before a retry when the server does not say. Default: [`Backoff::default`].
    #[doc(alias = "backoff_factor")]
    pub fn backoff(self, backoff: Backoff) -> Self {
        self.set(|policy| policy.backoff = backoff)
    }

    /// Whether the wait that a server asks for (`Retry-After`, `retry-after-ms`, gRPC pushback) replaces the backoff,
    /// with up to a tenth more as jitter. A wait of zero leaves it to the backoff, unless the server said yes to a retry
    /// too (`x-should-retry: true`, gRPC pushback): then it is at once. Default: yes.
    #[doc(alias = "respect_retry_after_header")]
    pub fn respect_retry_after(self, respect: bool) -> Self {
        self.set(|policy| policy.retry_after.respect = respect)
    }

    /// The longest wait that a server may ask for. Beyond it the response is returned at once: waiting less would be
    /// refused again, and waiting so long would lose the answer. Default: 20 s.
    #[doc(alias = "retry_after_max")]
    pub fn max_retry_after(self, max: Duration) -> Self {
        self.set(|policy| policy.retry_after.max = max)
    }

    /// Whether to wait for [`max_retry_after`](Self::max_retry_after) when the server asks for more, as urllib3 does,
    /// rather than not to retry. Default: no.
    pub fn clamp_retry_after(self, cap: bool) -> Self {
        self.set(|policy| policy.retry_after.cap = cap)
    }

    /// Whether up to a tenth is added by chance to a wait that a server asks for, so that callers which were told the
    /// same do not come back together. Default: yes.
    pub fn retry_after_jitter(self, jitter: bool) -> Self {
        self.set(|policy| policy.retry_after.jitter = jitter)
    }

    /// The limit of all waits of one call together. Default: 30 s.
    pub fn max_total_delay(self, max: Duration) -> Self {
        self.set(|policy| policy.max_total_delay = max)
    }

    /// Whether [`Processed::Unlikely`](crate::Processed::Unlikely) is enough to send any method again: a response says
    /// that nothing was processed, but that is no proof. Default: no.
    pub fn retry_if_probably_unprocessed(self, retry: bool) -> Self {
        self.set(|policy| policy.retry_if_probably_unprocessed = retry)
    }

    /// Whether a refusal of our own, an open circuit or too many calls at once, is retried: for a balancer beneath, where
    /// another try meets another instance. Default: no.
    pub fn retry_rejections(self, retry: bool) -> Self {
        self.set(|policy| policy.retry_rejections = retry)
    }

    /// Whether a response that would be retried, but for a limit, becomes an error: [`RetriesExhausted`](super::RetriesExhausted), with
    /// its head. Default: no, the response is returned.
    #[doc(alias = "raise_on_status")]
    pub fn error_on_exhausted_status(self, raise: bool) -> Self {
        self.set(|policy| policy.error_on_exhausted_status = raise)
    }

    /// What an attempt needs at the least: one that could not have so much before the request's
    /// [`Deadline`](crate::Deadline) is not begun. Default: nothing.
    pub fn min_attempt_time(self, time: Duration) -> Self {
        self.set(|policy| policy.min_attempt = time)
    }

    /// How many retries all calls together may have. Default: [`Budget::default`], a new one for each layer made by
    /// [`new`](RetryLayer::new) and shared by its clones.
    #[doc(alias = "retry_budget")]
    pub fn budget(self, budget: Budget) -> Self {
        self.set_budgets(BudgetScope::One(Arc::new(budget)))
    }

    /// Gives every key a budget of its own, so that one upstream's outage does not use up the retries of another: each
    /// begins unspent, with the limits of `budget`. [`by_authority`](super::by_authority) keys by host and port.
    ///
    /// At most 4,096 keys have one; those not used for some ten seconds, and by no call under way, make room for others.
    /// Further keys, and those longer than 1,024 bytes, share one budget, `budget` itself, and so do requests for which `key_fn`
    /// gives none.
    ///
    /// ```
    /// use seawall::{RetryLayer, retry::{Budget, by_authority}};
    ///
    /// let layer = RetryLayer::new().budget_per_key(Budget::default(), by_authority);
    /// # let _ = layer;
    /// ```
    pub fn budget_per_key(
        self,
        budget: Budget,
        key_fn: impl for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> Self {
        self.set_budgets(BudgetScope::PerKey(PerKeyBudgets::new(budget, Arc::new(key_fn))))
    }

    fn set_budgets(mut self, budgets: BudgetScope) -> Self {
        self.settings.update(|settings| {
            settings.budgets = budgets;
            settings.has_own_budget = true;
        });
        self
    }

    /// Ends a call that takes longer than `timeout`, from the call to the response's head: all attempts, and the waits
    /// between them. `None`: a call may take as long as it likes. Default: `None`.
    ///
    /// A request's own [`Deadline`](crate::Deadline) ends the call too, if it is sooner. A call whose deadline has passed
    /// before it begins is not sent. The error is [`Elapsed`](crate::timeout::Elapsed), inside [`RetriesExhausted`](super::RetriesExhausted)
    /// after more than one attempt. Without a total timeout a request's deadline only keeps attempts from being begun.
    ///
    /// An [`RetryOverride`](super::RetryOverride) does not change it.
    pub fn total_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        let timeout = timeout.into();
        self.settings.update(|settings| settings.total_timeout = timeout);
        self
    }

    /// Sets the part of the time before a deadline that an attempt leaves to the next hop: one that could not have so much is
    /// not begun. Default: zero.
    ///
    /// An [`RetryOverride`](super::RetryOverride) does not change it.
    pub fn deadline_margin(mut self, margin: Duration) -> Self {
        self.settings.update(|settings| settings.deadline_margin = margin);
        self
    }

    /// Calls `hook` for each retry that has been decided on, before its wait, on the task that drives the call. It must
    /// not block.
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
    /// How many bytes of a request body are kept to send it again. A longer body is sent once, and so is one of more than
    /// 1,024 frames. Default: 64 KiB.
    pub fn max_replay_bytes(self, bytes: usize) -> Self {
        self.set(|policy| policy.max_replay_bytes = bytes)
    }

    /// How long a response that is given up for a retry may take to be read to its end, so that an HTTP/1.1 connection
    /// can be used again; never longer than the wait for the retry itself. Only bodies of up to 16 KiB and 64 frames are
    /// read, others are dropped at once. Default: 50 ms.
    pub fn drain_timeout(self, time: Duration) -> Self {
        self.set(|policy| policy.drain_timeout = time)
    }

    /// Tells the upstream which attempt a request is, from the second on, in a header of this name: a number, counted
    /// from 1. `None`: it does not. Default: `None`.
    pub fn attempt_header(self, name: impl Into<Option<HeaderName>>) -> Self {
        let name = name.into();
        self.set(|policy| policy.attempt_header = name)
    }

    /// Hands the inner service what `convert` makes of each attempt's body, for clients that take one type of body
    /// only:
    ///
    /// ```
    /// # use seawall::RetryLayer;
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
    /// Takes the settings of `layer`. Make it once and clone it: a clone is a count.
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
