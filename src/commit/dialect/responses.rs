//! The Responses API of OpenAI.

use super::json::Json;

/// Returns whether an event of this type only announces the response.
pub(super) fn is_start(event_type: &str) -> bool {
    matches!(event_type, "response.created" | "response.in_progress" | "response.queued")
}

/// Returns whether an event precedes the content.
pub(super) fn holds(event_type: &str, event: &Json<'_>) -> bool {
    match event_type {
        // Reasoning and calls of tools are content, because they may take long.
        "response.output_item.added" => event.get("item").is_some_and(|item| {
            item.str("type") == Some("message") && item.filled("content").is_none()
        }),
        "response.content_part.added" => {
            event.get("part").is_none_or(|part| part.filled("text").is_none())
        }
        _ => is_start(event_type),
    }
}
