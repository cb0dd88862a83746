//! Anthropic's messages, by its documentation of streaming and of errors.

use seawall_core::Failure;

use super::{
    error_status::{self, Row},
    json::Json,
};

/// Its SDKs recognize an error by the name of the event.
pub(super) const ERROR_EVENT: &[u8] = b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"the response of the upstream broke off\"}}\n\n";

const ERRORS: &[Row] = &[
    (400, &["invalid_request_error"]),
    (401, &["authentication_error"]),
    (402, &["billing_error"]),
    (403, &["permission_error"]),
    (404, &["not_found_error"]),
    (413, &["request_too_large"]),
    (429, &["rate_limit_error"]),
    (500, &["api_error"]),
    (503, &["overloaded_error"]),
    (504, &["timeout_error"]),
];

/// Returns whether an event of this type precedes the content.
pub(super) fn is_start(event_type: &str) -> bool {
    matches!(event_type, "message_start" | "content_block_start" | "ping")
}

pub(super) fn reported_failure(event_name: &str, value: &Json<'_>) -> Option<Failure> {
    let is_error = event_name == "error" || value.str("type") == Some("error");
    // Gateways that translate send the error of another dialect.
    let error = value.filled("error").or(is_error.then_some(value))?;
    Some(error_status::failure_of(error, &["code", "status", "type"], ERRORS))
}
