//! OpenAI's format of errors.

use serde_json::{Value, json};

use super::GatewayError;

pub(super) fn error_body(error: &GatewayError<'_>) -> Value {
    let error_type = match error.status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        400..500 => "invalid_request_error",
        _ => "server_error",
    };
    json!({
        "error": {
            "message": error.message,
            "type": error_type,
            "param": null,
            "code": error.cause,
        },
    })
}
