//! Tests of `seawall::commit`, apart from `it`, because the feature is off by default.

mod bad_input;
mod breaker;
mod ending;
mod grammar;
mod grammar_cases;
mod grpc;
mod json;
mod limits;
mod passing;
mod replay;
mod streams;
mod support;
