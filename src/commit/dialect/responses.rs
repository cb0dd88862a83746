//! The Responses API of OpenAI.

use serde_json::Value;

use super::is_empty;

/// Returns whether an event of this type only announces the response.
pub(super) fn is_start(event_type: &str) -> bool {
    matches!(event_type, "response.created" | "response.in_progress" | "response.queued")
}

/// Returns whether an event precedes the content.
pub(super) fn holds(event_type: &str, event: &Value) -> bool {
    match event_type {
        // Reasoning and calls of tools are content, because they may take long.
        "response.output_item.added" => {
            event["item"]["type"] == "message" && is_empty(&event["item"]["content"])
        }
        "response.content_part.added" => is_empty(&event["part"]["text"]),
        _ => is_start(event_type),
    }
}
