//! Judges of the protocols of LLM APIs.

mod anthropic;
mod chat_completions;
mod error_status;
mod gemini;
mod json;
mod json_error;
mod openai;
mod responses;

use bytes::Bytes;
use http::HeaderMap;
use seawall_core::{Cause, Failure, Processed, Reporter};

use self::json::Json;
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
    fn reported_failure(self, event_name: &str, value: &Json<'_>) -> Option<Failure> {
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
        let Some(value) = Json::parse(event.data()) else {
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
            Self::Anthropic => value.str("type").is_some_and(anthropic::is_start),
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
