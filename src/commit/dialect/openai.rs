//! OpenAI's protocols, and the errors of its streams. Servers that speak them, such as OpenRouter,
//! LiteLLM and vLLM, report errors in forms of their own.

use seawall_core::Failure;

use super::{
    chat_completions,
    error_status::{self, Row},
    json::Json,
    responses,
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

pub(super) fn reported_failure(event_name: &str, value: &Json<'_>) -> Option<Failure> {
    let error = find_error(event_name, value)?;
    // A specific code precedes the type, which may be as general as `invalid_request_error`.
    Some(error_status::failure_of(error, &["code", "status", "type"], ERRORS))
}

fn find_error<'a, 'b>(event_name: &str, value: &'a Json<'b>) -> Option<&'a Json<'b>> {
    if value.str("type") == Some("response.failed") {
        let error = value.get("response").and_then(|response| response.get("error"));
        return error.or(Some(value));
    }
    let error = value.filled("error");
    if let Some(error) = error.filter(|error| !matches!(error, Json::Bool(_))) {
        return Some(error);
    }
    let is_error = event_name == "error"
        // The Responses API.
        || value.str("type") == Some("error")
        // vLLM.
        || value.str("object") == Some("error");
    if is_error {
        return Some(value);
    }
    // OpenRouter.
    let Json::Array(choices) = value.get("choices")? else { return None };
    choices.first()?.filled("error")
}

/// Returns whether an event that reports no failure precedes the content.
pub(super) fn holds(event_name: &str, value: &Json<'_>) -> bool {
    match value.str("type") {
        Some("ping") => true,
        Some(event_type) => responses::holds(event_type, value),
        None => event_name == "ping" || chat_completions::holds(value),
    }
}
