//! Gateways of language models, which answer 408 after a time limit of their own: `LiteLLM` and
//! Portkey.

use super::{Fingerprint, Reference, fingerprint, gateway};
use crate::{
    failure::{Cause::HttpResponseTimeout, Processed::Maybe, Product::Other},
    fingerprint::matcher::Matcher::{HeaderPresent, JsonContains},
};

const LITELLM: Reference = Reference::Documented("https://docs.litellm.ai/docs/exception_mapping");
const PORTKEY: Reference =
    Reference::Documented("https://portkey.ai/docs/product/ai-gateway/request-timeouts");

#[rustfmt::skip]
pub(super) static BY_BODY: &[Fingerprint] = &[
    fingerprint(gateway(Other), &[408], &[HeaderPresent("x-litellm-call-id"), JsonContains("litellm.Timeout")], HttpResponseTimeout, Maybe, "the upstream took too long for LiteLLM, to connect or to respond", LITELLM),
    fingerprint(gateway(Other), &[408], &[HeaderPresent("x-portkey-trace-id"), JsonContains("\"timeout_error\"")], HttpResponseTimeout, Maybe, "the upstream took too long for Portkey", PORTKEY),
];
