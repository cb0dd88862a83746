use super::section;
use crate::{
    config::values::{Count, HeaderNameValue, LevelValue, List, RatioValue, StringValue},
    logging::LoggingLayer as Layer,
};

section! {
    /// The log of each call.
    Logging {
        /// Level of successful calls.
        success: LevelValue,
        /// Level of calls that succeed after more than one attempt.
        retried: LevelValue,
        /// Level of client errors: 4xx except 408 and 429.
        client_error: LevelValue,
        /// Level of failed calls.
        failure: LevelValue,
        /// Level of calls that an open circuit or an in-flight limit rejects.
        refused: LevelValue,
        /// Level of calls that the caller cancels.
        cancelled: LevelValue,
        /// Level of the span around each call.
        span: LevelValue,
        /// Ratio of the successes that are logged, chosen at random.
        sample: RatioValue,
        /// Logs a command that repeats a failed request, at DEBUG.
        curl: bool,
        /// Further query keys whose values are secret.
        redact: List<StringValue>,
        /// Further paths that contain a secret, such as `/v3/{key}`.
        redact_paths: List<StringValue>,
        /// Headers of requests and responses that are logged. Credentials are never logged.
        headers: List<HeaderNameValue>,
        /// Logs the user agent.
        user_agent: bool,
        /// Maximum number of bytes of a failed response's body that are logged, up to 2 KiB.
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
        let layer = self
            .redact_paths
            .apply_to(layer, |layer, paths| layer.redact_paths(paths.iter().map(|path| &**path)));
        let layer = self.headers.apply_to(layer, Layer::log_headers);
        let layer = self.user_agent.apply_to(layer, Layer::log_user_agent);
        self.failed_body.apply_to(layer, |layer, bytes| layer.max_failed_body_bytes(bytes as usize))
    }
}
