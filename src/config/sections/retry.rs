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
    /// Retries of failed requests.
    Retry {
        /// Maximum number of retries per call, without the first attempt.
        total: Unlimited<Count>,
        /// Maximum number of retries after failures to connect.
        connect: Unlimited<Count>,
        /// Maximum number of retries after failures of an established connection.
        read: Unlimited<Count>,
        /// Maximum number of retries after statuses in `status_forcelist`.
        status: Unlimited<Count>,
        /// Maximum number of retries after other errors.
        other: Unlimited<Count>,
        /// Methods that are retried even if the request may have been processed.
        methods: Methods,
        /// Statuses that are retried.
        status_forcelist: List<Status>,
        /// Further statuses that are retried if the response has `Retry-After`.
        retry_after_statuses: List<Status>,
        /// Delay before a retry, unless the server requests one. Inherited as a whole.
        #[serde(deserialize_with = "table")]
        backoff: Backoff,
        /// Replaces the backoff with the delay that the server requests (`Retry-After`).
        respect_retry_after: bool,
        /// Maximum delay that the server can request.
        retry_after_max: DurationValue,
        /// Waits for the maximum if the requested delay is longer. Otherwise returns the response.
        cap_retry_after: bool,
        /// Adds up to 10 % jitter to the requested delay.
        retry_after_jitter: bool,
        /// Maximum sum of the delays of a call.
        total_delay_max: OrOff<DurationValue>,
        /// Retries any method if a response indicates, without proof, that nothing was processed.
        retry_unlikely: bool,
        /// Retries rejections by an open circuit or an in-flight limit.
        retry_rejected: bool,
        /// Turns the last response into an error if only a limit prevents a retry.
        raise_on_status: bool,
        /// Minimum time that must be left to start an attempt.
        min_attempt: DurationValue,
        /// Maximum number of bytes of a request body that are stored for retries.
        body_limit: Count,
        /// Maximum time to read the rest of a response before a retry.
        drain_wait: DurationValue,
        /// Request header with the attempt number, from the second attempt on.
        attempt_header: OrOff<HeaderNameValue>,
        /// Limit of the retries of all calls to one host and port. Inherited as a whole.
        budget: Toggle<Budget>,
    }
}

impl Retry {
    pub(crate) fn check(&self) -> Result<(), ValidationError> {
        let backoff = self.backoff.as_ref().map_or(Ok(()), Backoff::check);
        backoff.map_err(|error| error.at("backoff"))
    }

    /// Applies all settings except the budget.
    pub(crate) fn apply<C, F>(
        &self,
        layer: Layer<C, HttpCallAdapter<F>>,
    ) -> Layer<C, HttpCallAdapter<F>> {
        self.apply_server_hints(self.apply_limits(layer))
    }

    fn apply_limits<C, F>(
        &self,
        layer: Layer<C, HttpCallAdapter<F>>,
    ) -> Layer<C, HttpCallAdapter<F>> {
        let layer =
            self.total.apply_to(layer, |layer, max| layer.set(|policy| policy.limits.total = max));
        let layer = self
            .connect
            .apply_to(layer, |layer, max| layer.set(|policy| policy.limits.connect = max));
        let layer =
            self.read.apply_to(layer, |layer, max| layer.set(|policy| policy.limits.read = max));
        let layer = self
            .status
            .apply_to(layer, |layer, max| layer.set(|policy| policy.limits.status = max));
        let layer =
            self.other.apply_to(layer, |layer, max| layer.set(|policy| policy.limits.other = max));
        let layer = match self.methods.as_ref() {
            None => layer,
            Some(Methods::Idempotent) => layer.idempotent_methods(),
            Some(Methods::Any) => layer.retry_all_methods(),
            Some(Methods::Only(methods)) => {
                layer.retry_methods(methods.iter().cloned().map(IntoSetting::into_setting))
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
        self.attempt_header
            .apply_to(layer, |layer, name| layer.set(|policy| policy.attempt_header = name))
    }

    /// Applies the settings for `Retry-After` and other hints of the server.
    fn apply_server_hints<C, F>(
        &self,
        layer: Layer<C, HttpCallAdapter<F>>,
    ) -> Layer<C, HttpCallAdapter<F>> {
        let layer =
            self.retry_after_statuses.apply_to(layer, Layer::retry_statuses_with_retry_after);
        let layer = self.respect_retry_after.apply_to(layer, Layer::respect_retry_after);
        let layer = self.retry_after_max.apply_to(layer, Layer::max_retry_after);
        let layer = self.cap_retry_after.apply_to(layer, Layer::clamp_retry_after);
        let layer = self.retry_after_jitter.apply_to(layer, Layer::jitter_retry_after);
        let layer = self.retry_unlikely.apply_to(layer, Layer::retry_if_probably_unprocessed);
        let layer = self.retry_rejected.apply_to(layer, Layer::retry_rejections);
        self.raise_on_status.apply_to(layer, Layer::error_on_exhausted_status)
    }
}
