use super::section;
use crate::{
    config::values::{Count, HeaderNameValue, LevelValue, List, RatioValue, StringValue},
    logging::LoggingLayer as Layer,
};

section! {
    /// The line that each call leaves in the log.
    Logging {
        /// The level of calls that succeed.
        success: LevelValue,
        /// The level of calls that succeed after more than one attempt.
        retried: LevelValue,
        /// The level of responses that find fault with the request.
        client_error: LevelValue,
        /// The level of calls that fail.
        failure: LevelValue,
        /// The level of calls that an open circuit or a limit refuses.
        refused: LevelValue,
        /// The level of calls that the caller gives up.
        cancelled: LevelValue,
        /// The level of the span around each call.
        span: LevelValue,
        /// Writes such a part of the successes, chosen by chance.
        sample: RatioValue,
        /// Whether a failure is followed, at DEBUG, by a command that sends the request again.
        curl: bool,
        /// Further keys of a query whose values are secrets.
        redact: List<StringValue>,
        /// Headers of requests and responses to be logged. Credentials never are.
        headers: List<HeaderNameValue>,
        /// Whether the user agent is logged.
        user_agent: bool,
        /// How many bytes of a failed response's body are logged.
        failed_body: Count<0, 2_048>,
    }
}

impl Logging {
    pub(crate) fn apply(&self, layer: Layer) -> Layer {
        let layer = self.success.apply_to(layer, Layer::success_level);
        let layer = self.retried.apply_to(layer, Layer::retried_level);
        let layer = self.client_error.apply_to(layer, Layer::client_error_level);
        let layer = self.failure.apply_to(layer, Layer::failure_level);
        let layer = self.refused.apply_to(layer, Layer::rejected_level);
        let layer = self.cancelled.apply_to(layer, Layer::cancelled_level);
        let layer = self.span.apply_to(layer, Layer::span_level);
        let layer = self.sample.apply_to(layer, Layer::sample);
        let layer = self.curl.apply_to(layer, Layer::log_curl);
        let layer =
            self.redact.apply_to(layer, |layer, keys| layer.redact(keys.iter().map(|key| &**key)));
        let layer = self.headers.apply_to(layer, Layer::log_headers);
        let layer = self.user_agent.apply_to(layer, Layer::log_user_agent);
        self.failed_body.apply_to(layer, |layer, bytes| layer.max_failed_body_bytes(bytes as usize))
    }
}
