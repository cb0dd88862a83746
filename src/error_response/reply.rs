//! The content of the response that replaces an error.

use std::{error::Error, time::Duration};

use http::StatusCode;
use seawall_core::{
    Failure,
    attempts::{RetriesExhausted, RetryReport, StopReason},
    classify::{classify_error, retry_after},
    find_source,
};

use super::{error_text::error_text, settings::Settings};

/// The content of an error response, independent of its format.
#[derive(Clone, Debug)]
pub(super) struct ErrorReply {
    pub(super) failure: Failure,
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    /// Set if retries are exhausted. Callers should not retry either.
    pub(super) retry_report: Option<RetryReport>,
    /// The error message, if the settings include it.
    pub(super) text: Option<String>,
}

impl ErrorReply {
    pub(super) fn new(error: &(dyn Error + 'static), settings: &Settings) -> Self {
        let failure = classify_error(error);
        let reply = Self {
            failure,
            status: failure.gateway_status(),
            retry_after: failure.retry_after(),
            retry_report: None,
            text: settings.include_error_text.then(|| error_text(error, &settings.redaction)),
        };
        match find_source::<RetriesExhausted>(error) {
            Some(exhausted) => reply.after_retries(exhausted),
            None => reply,
        }
    }

    /// Marks the reply as exhausted.
    ///
    /// If a rejection by this process ended the retries, the upstream's last response determines
    /// the status, because it is more specific.
    fn after_retries(self, exhausted: &RetriesExhausted) -> Self {
        let is_rejection = match exhausted.stop_reason() {
            StopReason::CircuitOpen | StopReason::LimitReached | StopReason::NotReady => true,
            // Without a status, the failure is an error that there was no time to retry. It is not
            // replaced.
            StopReason::DeadlineTooNear => self.failure.status().is_some(),
            _ => false,
        };
        let retry_report = Some(exhausted.to_report(self.failure));
        let reply = Self { retry_report, ..self };
        match exhausted.last_response() {
            // Not a success that was retried, such as a 202.
            Some(last) if is_rejection && is_gateway_status(last.status()) => Self {
                failure: reply.failure.with_status(last.status()),
                status: last.status(),
                retry_after: retry_after(last.headers()).or(reply.retry_after),
                ..reply
            },
            _ => reply,
        }
    }

    pub(super) const fn is_exhausted(&self) -> bool {
        self.retry_report.is_some()
    }

    /// Returns the wait in whole seconds, rounded up.
    pub(super) fn retry_after_secs(&self) -> Option<u64> {
        let wait = self.retry_after?;
        Some(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)))
    }
}

/// Returns whether a gateway may send this status of an upstream as its own.
///
/// A 408 would report a slow caller, and a 202 would report a success.
fn is_gateway_status(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}
