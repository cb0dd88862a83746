//! Anthropic's format of errors.

use serde_json::{Value, json};

use super::GatewayError;

pub(super) fn error_body(error: &GatewayError<'_>) -> Value {
    let error_type = match error.status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        400..500 => "invalid_request_error",
        _ => "api_error",
    };
    json!({ "type": "error", "error": { "type": error_type, "message": error.message } })
}
