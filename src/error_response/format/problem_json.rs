//! The problem document format (RFC 9457).

use serde_json::json;

use crate::error_response::reply::ErrorReply;

pub(in crate::error_response) fn render(reply: &ErrorReply, request_id: Option<&str>) -> String {
    let cause = reply.failure.cause().as_str();
    // RFC 9457 §4.2.1: with `about:blank`, the title is the reason phrase of the status.
    let mut problem = json!({
        "type": "about:blank",
        "title": reply.status.canonical_reason().unwrap_or_default(),
        "status": reply.status.as_u16(),
        "detail": cause.replace('_', " "),
        "cause": cause,
    });
    for (name, value) in [("request_id", request_id), ("error", reply.text.as_deref())] {
        if let Some(value) = value {
            problem[name] = value.into();
        }
    }
    problem.to_string()
}
