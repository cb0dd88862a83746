//! The answer as a problem document (RFC 9457).

use serde_json::json;

use super::answer::Answer;

pub(super) fn problem(answer: &Answer, request_id: Option<&str>) -> String {
    let cause = answer.failure().cause().as_str();
    // RFC 9457 §4.2.1: with `about:blank` the title is the status's own phrase.
    let mut problem = json!({
        "type": "about:blank",
        "title": answer.status().canonical_reason().unwrap_or_default(),
        "status": answer.status().as_u16(),
        "detail": cause.replace('_', " "),
        "cause": cause,
    });
    for (name, value) in [("request_id", request_id), ("error", answer.text())] {
        if let Some(value) = value {
            problem[name] = value.into();
        }
    }
    problem.to_string()
}
