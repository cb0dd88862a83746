//! What is known of an error that a response replaces.

use std::{error::Error, time::Duration};

use http::StatusCode;
use seawall_core::{
    Failure,
    attempts::{RetriesExhausted, StopReason},
    classify::{classify_error, retry_after},
    find_source,
};

use super::{error_text::error_text, settings::Settings};

/// The content of an error response, whatever its format.
#[derive(Clone, Debug)]
pub(super) struct ErrorReply {
    pub(super) failure: Failure,
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    /// Retries are exhausted, so callers should not retry either.
    pub(super) gave_up: bool,
    /// The error's text, if it is to be disclosed.
    pub(super) text: Option<String>,
}

impl ErrorReply {
    pub(super) fn new(error: &(dyn Error + 'static), settings: &Settings) -> Self {
        let failure = classify_error(error);
        let reply = Self {
            failure,
            status: failure.cause().gateway_status(),
            retry_after: failure.retry_after(),
            gave_up: false,
            text: settings.include_error_text.then(|| error_text(error)),
        };
        match find_source::<RetriesExhausted>(error) {
            Some(gave_up) => reply.after_retries(gave_up),
            None => reply,
        }
    }

    /// If retrying ended in a rejection by this process, the upstream's last response is worth more.
    fn after_retries(self, gave_up: &RetriesExhausted) -> Self {
        let is_rejection = match gave_up.reason() {
            StopReason::CircuitOpen | StopReason::LimitReached | StopReason::NotReady => true,
            // An error without a response, which there was no time to retry, counts itself.
            StopReason::DeadlineTooNear => self.failure.status().is_some(),
            _ => false,
        };
        let reply = Self { gave_up: true, ..self };
        match gave_up.last_response() {
            // A retried success such as a 202 does not count.
            Some(last) if is_rejection && is_gateway_status(last.status()) => Self {
                failure: reply.failure.with_status(last.status()),
                status: last.status(),
                retry_after: retry_after(last.headers()).or(reply.retry_after),
                ..reply
            },
            _ => reply,
        }
    }

    /// Returns the wait in whole seconds, rounded up.
    pub(super) fn retry_after_secs(&self) -> Option<u64> {
        let wait = self.retry_after?;
        Some(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)))
    }
}

/// Returns whether a gateway may send the status in its own name. A 408 would blame the caller for being slow, a 202 would
/// claim success.
fn is_gateway_status(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}
