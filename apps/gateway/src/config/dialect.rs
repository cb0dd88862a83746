//! The protocols of LLM APIs.

use http::{HeaderName, header::AUTHORIZATION};
use serde::Deserialize;

/// The protocol of an LLM API. Compatible servers of other providers have the same dialect.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Dialect {
    OpenAi,
    Anthropic,
    Gemini,
}

impl Dialect {
    /// Returns the header for the API key.
    pub(crate) const fn api_key_header(self) -> HeaderName {
        match self {
            Self::OpenAi => AUTHORIZATION,
            Self::Anthropic => HeaderName::from_static("x-api-key"),
            Self::Gemini => HeaderName::from_static("x-goog-api-key"),
        }
    }
}
