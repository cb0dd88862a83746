//! Gemini's format of errors: that of `google.rpc.Status` over HTTP.

use serde_json::{Value, json};

use super::GatewayError;

pub(super) fn error_body(error: &GatewayError<'_>) -> Value {
    let status = match error.status.as_u16() {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        500 => "INTERNAL",
        501 => "UNIMPLEMENTED",
        504 => "DEADLINE_EXCEEDED",
        400..500 => "INVALID_ARGUMENT",
        _ => "UNAVAILABLE",
    };
    let code = error.status.as_u16();
    json!({ "error": { "code": code, "message": error.message, "status": status } })
}
