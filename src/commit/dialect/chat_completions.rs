//! Chat completions and completions of OpenAI.

use serde_json::Value;

use super::is_empty;

/// Returns whether a chunk precedes the content: it has no choices, as with the usage or Azure's
/// filter results, or its choices have only a role and empty values.
pub(super) fn holds(chunk: &Value) -> bool {
    match chunk.get("choices") {
        Some(Value::Array(choices)) => choices.iter().all(is_empty_choice),
        _ => false,
    }
}

fn is_empty_choice(choice: &Value) -> bool {
    let Value::Object(members) = choice else { return false };
    members.iter().all(|(name, value)| match name.as_str() {
        "delta" => is_empty_delta(value),
        // An answer may be empty, or withheld by a filter.
        "finish_reason" | "text" | "message" => is_empty(value),
        // Such as `index`, `logprobs` and `content_filter_results`.
        _ => true,
    })
}

fn is_empty_delta(delta: &Value) -> bool {
    match delta {
        Value::Object(members) => {
            members.iter().all(|(name, value)| name == "role" || is_empty(value))
        }
        other => is_empty(other),
    }
}
