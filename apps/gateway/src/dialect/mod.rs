//! The protocols of LLM APIs: the header of the API key, the format of errors, and errors in
//! responses with the status 200.

mod anthropic;
mod error_format;
mod gemini;
mod judge;
mod openai;

use http::{HeaderName, StatusCode, header::AUTHORIZATION};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use self::{error_format::format_error, judge::ResponseJudge};

/// The protocol of an LLM API. Compatible servers of other providers have the same dialect.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Dialect {
    OpenAi,
    Anthropic,
    Gemini,
}

/// An error of the gateway itself.
#[derive(Clone, Debug, PartialEq, Eq)]
struct GatewayError<'a> {
    status: StatusCode,
    /// The cause and the advice, for people.
    message: String,
    /// The cause, for programs.
    cause: Option<&'a str>,
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

    /// Returns the name in the configuration file.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }

    fn error_body(self, error: &GatewayError<'_>) -> Value {
        match self {
            Self::OpenAi => openai::error_body(error),
            Self::Anthropic => anthropic::error_body(error),
            Self::Gemini => gemini::error_body(error),
        }
    }
}
