//! Chat completions and completions of OpenAI.

use super::json::Json;

/// Returns whether a chunk precedes the content: it has no choices, as with the usage or Azure's
/// filter results, or its choices have only a role and empty values.
pub(super) fn holds(chunk: &Json<'_>) -> bool {
    match chunk.get("choices") {
        Some(Json::Array(choices)) => choices.iter().all(is_empty_choice),
        _ => false,
    }
}

fn is_empty_choice(choice: &Json<'_>) -> bool {
    let Json::Object(members) = choice else { return false };
    members.iter().all(|(name, value)| match &*name.0 {
        "delta" => is_empty_delta(value),
        // An answer may be empty, or withheld by a filter.
        "finish_reason" | "text" | "message" => value.is_empty(),
        // Such as `index`, `logprobs` and `content_filter_results`.
        _ => true,
    })
}

fn is_empty_delta(delta: &Json<'_>) -> bool {
    match delta {
        Json::Object(members) => {
            members.iter().all(|(name, value)| name.0 == "role" || value.is_empty())
        }
        other => other.is_empty(),
    }
}
