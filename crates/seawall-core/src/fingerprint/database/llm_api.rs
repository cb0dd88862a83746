//! The LLM APIs of Anthropic and OpenAI, whose responses name no gateway.

use super::{Fingerprint, Reference, fingerprint};
use crate::{
    failure::{
        Cause::{Overloaded, RateLimited},
        Processed::Unlikely,
        Reporter,
    },
    fingerprint::matcher::Matcher::{HeaderPresent, JsonContains},
};

const OPENAI: Reference =
    Reference::Documented("https://platform.openai.com/docs/guides/error-codes");
const ANTHROPIC: Reference = Reference::Documented("https://docs.anthropic.com/en/api/errors");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(Reporter::Unknown, &[529, 503], &[JsonContains("\"overloaded_error\"")], Overloaded, Unlikely, "the API is overloaded and rejected the request", ANTHROPIC),
    fingerprint(Reporter::Unknown, &[429], &[JsonContains("\"rate_limit_error\"")], RateLimited, Unlikely, "the API's rate limit rejected the request", ANTHROPIC),
    fingerprint(Reporter::Unknown, &[429], &[JsonContains("\"insufficient_quota\"")], RateLimited, Unlikely, "the account's quota is exhausted, so waiting does not help", OPENAI),
    fingerprint(Reporter::Unknown, &[429], &[HeaderPresent("x-ratelimit-limit-requests"), JsonContains("\"rate_limit_exceeded\"")], RateLimited, Unlikely, "the API's rate limit rejected the request", OPENAI),
];
