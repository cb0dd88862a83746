use std::time::Duration;

use super::{Backoff, Budget, section};
use crate::{
    config::{
        validation_error::ValidationError,
        values::{
            Count, DurationValue, HeaderNameValue, IntoSetting, List, Methods, OrOff, Status,
            Toggle, Unlimited, table,
        },
    },
    retry::{HttpCallAdapter, RetryLayer as Layer},
};

section! {
    /// Which requests are sent again, how often and when.
    Retry {
        /// How many retries a call has, the first attempt not counted.
        total: Unlimited<Count>,
        /// How many of them after failures to connect.
        connect: Unlimited<Count>,
        /// How many of them after connections that failed later.
        read: Unlimited<Count>,
        /// How many of them after statuses of `status_forcelist`.
        status: Unlimited<Count>,
        /// How many of them after other errors.
        other: Unlimited<Count>,
        /// Which methods may be sent again when the request may have been processed.
        methods: Methods,
        /// Which statuses are retried.
        status_forcelist: List<Status>,
        /// Which statuses are retried as well if they say `Retry-After`.
        retry_after_statuses: List<Status>,
        /// How long to wait when the server does not say. Inherited as a whole.
        #[serde(deserialize_with = "table")]
        backoff: Backoff,
        /// Whether the wait that a server asks for replaces the backoff.
        respect_retry_after: bool,
        /// The longest wait that a server may ask for.
        retry_after_max: DurationValue,
        /// Whether to wait that long when it asks for more, rather than not to retry.
        cap_retry_after: bool,
        /// Whether up to a tenth is added by chance to the wait that it asks for.
        retry_after_jitter: bool,
        /// The limit of all waits of one call together.
        total_delay_max: OrOff<DurationValue>,
        /// Whether any method is sent again when a response says, without proof, that nothing was processed.
        retry_unlikely: bool,
        /// Whether a refusal by an open circuit or a limit is retried.
        retry_rejected: bool,
        /// Whether the last response, if it would be retried but for a limit, becomes an error.
        raise_on_status: bool,
        /// The time that must be left for an attempt to be begun.
        min_attempt: DurationValue,
        /// How many bytes of a request's body are kept to send it again.
        body_limit: Count,
        /// How long a response that is given up may take to be read to its end.
        drain_wait: DurationValue,
        /// The request header that tells the upstream which attempt it is.
        attempt_header: OrOff<HeaderNameValue>,
        /// How many retries all calls of one host and port may have together. Inherited as a whole.
        budget: Toggle<Budget>,
    }
}

impl Retry {
    pub(crate) fn check(&self) -> Result<(), ValidationError> {
        let backoff = self.backoff.as_ref().map_or(Ok(()), Backoff::check);
        backoff.map_err(|wrong| wrong.at("backoff"))
    }

    /// All but the budget.
    pub(crate) fn apply<C, F>(
        &self,
        layer: Layer<C, HttpCallAdapter<F>>,
    ) -> Layer<C, HttpCallAdapter<F>> {
        self.apply_server_word(self.apply_limits(layer))
    }

    fn apply_limits<C, F>(
        &self,
        layer: Layer<C, HttpCallAdapter<F>>,
    ) -> Layer<C, HttpCallAdapter<F>> {
        let layer = self.total.apply_to(layer, Layer::max_retries);
        let layer = self.connect.apply_to(layer, Layer::max_connect_retries);
        let layer = self.read.apply_to(layer, Layer::max_read_retries);
        let layer = self.status.apply_to(layer, Layer::max_status_retries);
        let layer = self.other.apply_to(layer, Layer::max_other_retries);
        let layer = match self.methods.as_ref() {
            None => layer,
            Some(Methods::Idempotent) => layer.idempotent_methods(),
            Some(Methods::Any) => layer.retry_all_methods(),
            Some(Methods::Only(verbs)) => {
                layer.retry_methods(verbs.iter().cloned().map(IntoSetting::into_value))
            }
        };
        let layer = self.status_forcelist.apply_to(layer, Layer::retry_statuses);
        let layer = match self.backoff.as_ref() {
            Some(backoff) => layer.backoff(backoff.build()),
            None => layer,
        };
        let layer = self
            .total_delay_max
            .apply_to(layer, |layer, max| layer.max_total_delay(max.unwrap_or(Duration::MAX)));
        let layer = self.min_attempt.apply_to(layer, Layer::min_attempt_time);
        let layer =
            self.body_limit.apply_to(layer, |layer, bytes| layer.max_replay_bytes(bytes as usize));
        let layer = self.drain_wait.apply_to(layer, Layer::drain_timeout);
        self.attempt_header.apply_to(layer, Layer::attempt_header)
    }

    fn apply_server_word<C, F>(
        &self,
        layer: Layer<C, HttpCallAdapter<F>>,
    ) -> Layer<C, HttpCallAdapter<F>> {
        let layer =
            self.retry_after_statuses.apply_to(layer, Layer::retry_statuses_with_retry_after);
        let layer = self.respect_retry_after.apply_to(layer, Layer::respect_retry_after);
        let layer = self.retry_after_max.apply_to(layer, Layer::max_retry_after);
        let layer = self.cap_retry_after.apply_to(layer, Layer::clamp_retry_after);
        let layer = self.retry_after_jitter.apply_to(layer, Layer::retry_after_jitter);
        let layer = self.retry_unlikely.apply_to(layer, Layer::retry_if_probably_unprocessed);
        let layer = self.retry_rejected.apply_to(layer, Layer::retry_rejections);
        self.raise_on_status.apply_to(layer, Layer::error_on_exhausted_status)
    }
}
