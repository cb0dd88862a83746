//! Gemini's `streamGenerateContent`. Its errors are those of `google.rpc.Status` over HTTP.

use std::time::Duration;

use seawall_core::Failure;

use super::{
    error_status::{self, Row},
    json::Json,
};

/// Its SDK accepts only lines with `data: `, so the event has no name.
pub(super) const ERROR_EVENT: &[u8] = b"data: {\"error\":{\"code\":502,\"message\":\"the response of the upstream broke off\",\"status\":\"UNAVAILABLE\"}}\r\n\r\n";

const ERRORS: &[Row] = &[
    (400, &["INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE"]),
    (401, &["UNAUTHENTICATED"]),
    (403, &["PERMISSION_DENIED"]),
    (404, &["NOT_FOUND"]),
    (409, &["ABORTED", "ALREADY_EXISTS"]),
    (429, &["RESOURCE_EXHAUSTED"]),
    (500, &["INTERNAL", "UNKNOWN", "DATA_LOSS"]),
    (501, &["UNIMPLEMENTED"]),
    (503, &["UNAVAILABLE"]),
    (504, &["DEADLINE_EXCEEDED"]),
];

/// The longest wait of a `RetryInfo`. A longer one is clamped.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(86_400);

pub(super) fn reported_failure(value: &Json<'_>) -> Option<Failure> {
    let error = value.filled("error")?;
    let failure = error_status::failure_of(error, &["code", "status"], ERRORS);
    Some(failure.with_retry_after(retry_delay(error)))
}

/// Returns the wait of a `google.rpc.RetryInfo`, such as `"34.5s"`.
fn retry_delay(error: &Json<'_>) -> Option<Duration> {
    let Json::Array(details) = error.get("details")? else { return None };
    let delay = details.iter().find_map(|detail| detail.str("retryDelay"))?;
    let seconds: f64 = delay.strip_suffix('s')?.parse().ok()?;
    Some(Duration::try_from_secs_f64(seconds).ok()?.min(MAX_RETRY_DELAY))
}

/// Returns whether a chunk precedes the content: no candidate has a part or a reason for its end,
/// and the prompt was not blocked.
pub(super) fn holds(chunk: &Json<'_>) -> bool {
    let Json::Object(members) = chunk else { return false };
    members.iter().all(|(name, value)| match &*name.0 {
        "candidates" => {
            matches!(value, Json::Array(candidates) if candidates.iter().all(is_empty_candidate))
        }
        "promptFeedback" => value.filled("blockReason").is_none(),
        "usageMetadata" | "modelVersion" | "responseId" | "createTime" => true,
        _ => false,
    })
}

fn is_empty_candidate(candidate: &Json<'_>) -> bool {
    let parts = candidate.get("content").and_then(|content| content.get("parts"));
    let has_content = match parts {
        None => false,
        Some(Json::Array(parts)) => !parts.iter().all(is_empty_part),
        Some(other) => !other.is_empty(),
    };
    !has_content && candidate.filled("finishReason").is_none()
}

fn is_empty_part(part: &Json<'_>) -> bool {
    match part {
        Json::Object(members) => {
            members.iter().all(|(name, value)| name.0 == "thought" || value.is_empty())
        }
        other => other.is_empty(),
    }
}
