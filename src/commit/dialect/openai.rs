//! OpenAI's protocols, and the errors of its streams. Servers that speak them, such as OpenRouter,
//! LiteLLM and vLLM, report errors in forms of their own.

use seawall_core::Failure;
use serde_json::Value;

use super::{
    chat_completions,
    error_status::{self, Row},
    filled, responses,
};

/// Its SDKs raise for the member `error` of any event, with the Responses API too. Python's does
/// not for the API's own event of the type `error`.
pub(super) const ERROR_EVENT: &[u8] = b"data: {\"error\":{\"message\":\"the response of the upstream broke off\",\"type\":\"server_error\",\"param\":null,\"code\":\"http_response_incomplete\"}}\n\n";

const ERRORS: &[Row] = &[
    (
        400,
        &[
            "BadRequestError",
            "content_filter",
            "content_policy_violation",
            "context_length_exceeded",
            "invalid_image",
            "invalid_prompt",
            "invalid_request_error",
            "invalid_value",
            "unsupported_parameter",
            "unsupported_value",
        ],
    ),
    (401, &["AuthenticationError", "authentication_error", "invalid_api_key"]),
    (402, &["billing_hard_limit_reached", "billing_not_active", "insufficient_credits"]),
    (403, &["PermissionDeniedError", "permission_denied", "permission_error"]),
    (404, &["NotFoundError", "model_not_found", "not_found_error"]),
    (
        429,
        &[
            "RateLimitError",
            "insufficient_quota",
            "rate_limit_error",
            "rate_limit_exceeded",
            "requests",
            "throttling_error",
            "tokens",
            "too_many_requests",
        ],
    ),
    (500, &["InternalServerError", "api_error", "internal_server_error", "server_error"]),
    (
        503,
        &[
            "ServiceUnavailableError",
            "engine_overloaded",
            "engine_overloaded_error",
            "overloaded",
            "overloaded_error",
            "server_is_overloaded",
            "service_unavailable",
            "service_unavailable_error",
            "slow_down",
        ],
    ),
    (504, &["Timeout", "timeout", "timeout_error"]),
];

pub(super) fn reported_failure(event_name: &str, value: &Value) -> Option<Failure> {
    let error = find_error(event_name, value)?;
    // A specific code precedes the type, which may be as general as `invalid_request_error`.
    Some(error_status::failure_of(error, &["code", "status", "type"], ERRORS))
}

fn find_error<'a>(event_name: &str, value: &'a Value) -> Option<&'a Value> {
    if value["type"] == "response.failed" {
        return Some(&value["response"]["error"]);
    }
    if let Some(error) = filled(value, "error").filter(|error| !error.is_boolean()) {
        return Some(error);
    }
    let is_error = event_name == "error"
        // The Responses API.
        || value["type"] == "error"
        // vLLM.
        || value["object"] == "error";
    if is_error {
        return Some(value);
    }
    // OpenRouter.
    filled(value.get("choices")?.get(0)?, "error")
}

/// Returns whether an event that reports no failure precedes the content.
pub(super) fn holds(event_name: &str, value: &Value) -> bool {
    match value["type"].as_str() {
        Some("ping") => true,
        Some(event_type) => responses::holds(event_type, value),
        None => event_name == "ping" || chat_completions::holds(value),
    }
}
