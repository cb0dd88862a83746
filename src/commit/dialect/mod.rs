//! Judges of the protocols of LLM APIs.

mod anthropic;
mod chat_completions;
mod error_status;
mod gemini;
mod json_error;
mod openai;
mod responses;

use bytes::Bytes;
use http::HeaderMap;
use seawall_core::{Cause, Failure, Processed, Reporter};
use serde_json::Value;

use super::{Event, Judge, Reading, Verdict};

/// The judge of an LLM API, by the protocol that the API speaks. Compatible servers of other
/// providers have the same dialect.
///
/// It judges event streams and JSON. See the [table](super#dialects).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// OpenAI's chat completions, completions and responses.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Gemini's `streamGenerateContent`, with or without `alt=sse`.
    Gemini,
}

impl Dialect {
    /// Returns the failure that an event or a body with this value reports, if any.
    fn reported_failure(self, event_name: &str, value: &Value) -> Option<Failure> {
        match self {
            Self::OpenAi => openai::reported_failure(event_name, value),
            Self::Anthropic => anthropic::reported_failure(event_name, value),
            Self::Gemini => gemini::reported_failure(value),
        }
    }
}

impl Judge for Dialect {
    #[inline]
    fn reading(&self, headers: &HeaderMap) -> Option<Reading> {
        Reading::by_content_type(headers)
    }

    fn judge_event(&self, event: &Event<'_>) -> Verdict {
        // Decided by the name alone: such an event may be large.
        let holds = match self {
            Self::OpenAi => responses::is_start(event.name()),
            Self::Anthropic => anthropic::is_start(event.name()),
            Self::Gemini => false,
        };
        if holds {
            return Verdict::Hold;
        }
        let Ok(value) = serde_json::from_str::<Value>(event.data()) else {
            return match event.name() {
                "error" => Verdict::Fail(error_status::unknown()),
                "ping" => Verdict::Hold,
                _ => Verdict::Commit,
            };
        };
        if let Some(failure) = self.reported_failure(event.name(), &value) {
            return Verdict::Fail(failure);
        }
        let holds = match self {
            Self::OpenAi => openai::holds(event.name(), &value),
            Self::Anthropic => value["type"].as_str().is_some_and(anthropic::is_start),
            Self::Gemini => gemini::holds(&value),
        };
        if holds { Verdict::Hold } else { Verdict::Commit }
    }

    fn judge_end(&self) -> Verdict {
        let failure = Failure::new(Cause::HttpResponseIncomplete)
            .with_reporter(Reporter::Local)
            .with_processed(Processed::Yes);
        Verdict::Fail(failure)
    }

    fn judge_bytes(&self, bytes: &[u8], is_complete: bool) -> Verdict {
        if !is_complete {
            // A compressed body begins with other bytes.
            let holds = json_error::may_be_error(bytes);
            return if holds { Verdict::Hold } else { Verdict::Commit };
        }
        let error = json_error::parse(bytes);
        let failure = error.and_then(|value| self.reported_failure("", &value));
        failure.map_or(Verdict::Commit, Verdict::Fail)
    }

    fn error_event(&self) -> Option<Bytes> {
        Some(Bytes::from_static(match self {
            Self::OpenAi => openai::ERROR_EVENT,
            Self::Anthropic => anthropic::ERROR_EVENT,
            Self::Gemini => gemini::ERROR_EVENT,
        }))
    }
}

/// Returns whether a value has no content: it is absent, null, false, or empty.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) | Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

/// Returns the member `name` if it has content.
fn filled<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).filter(|value| !is_empty(value))
}
