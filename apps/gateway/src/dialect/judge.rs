//! The judge of responses that hold an error in spite of their status 200.

use axum::body::Bytes;
use http::HeaderMap;
use seawall::commit::{self, Event, Judge, Reading, Verdict};

use super::Dialect;

/// Judges the responses of an LLM API. Without a dialect, every response passes at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseJudge(Option<commit::Dialect>);

impl ResponseJudge {
    pub(crate) fn new(dialect: Option<Dialect>) -> Self {
        Self(dialect.map(|dialect| match dialect {
            Dialect::OpenAi => commit::Dialect::OpenAi,
            Dialect::Anthropic => commit::Dialect::Anthropic,
            Dialect::Gemini => commit::Dialect::Gemini,
        }))
    }
}

impl Judge for ResponseJudge {
    fn reading(&self, headers: &HeaderMap) -> Option<Reading> {
        self.0?.reading(headers)
    }

    fn judge_event(&self, event: &Event<'_>) -> Verdict {
        self.0.map_or(Verdict::Commit, |dialect| dialect.judge_event(event))
    }

    fn judge_end(&self) -> Verdict {
        self.0.map_or(Verdict::Commit, |dialect| dialect.judge_end())
    }

    fn judge_bytes(&self, bytes: &[u8], is_complete: bool) -> Verdict {
        self.0.map_or(Verdict::Commit, |dialect| dialect.judge_bytes(bytes, is_complete))
    }

    fn error_event(&self) -> Option<Bytes> {
        self.0?.error_event()
    }
}
