//! The span and the attributes that OpenTelemetry's conventions define for a request.
//!
//! <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>

use std::fmt;

use http::{Method, Version};
use seawall_core::Cause;
use tracing::{Span, field::display};

use super::{
    Level,
    escape::{MAX_LONG_CHARS, MAX_SHORT_CHARS, Text, text},
    fields as f,
    level::at_level,
    outcome::{Completion, Outcome},
    record::Record,
    settings::Role,
    target::{FullUrl, Port, Query, RequestTarget},
};
use crate::semconv::{self, OTHER};

/// Returns a method of low cardinality, and the original one if that differs.
pub(super) fn method(method: &Method) -> (&str, Option<&str>) {
    match semconv::method(method) {
        Some(name) => (name, None),
        None => (OTHER, Some(method.as_str())),
    }
}

/// Returns the value of `network.protocol.version`.
pub(super) const fn version(version: Version) -> Option<&'static str> {
    Some(match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => return None,
    })
}

/// `{method} {route}`, or the method alone. Never a path, of which there are too many.
struct SpanName<'a>(&'a Record);

impl fmt::Display for SpanName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match method(&self.0.request.method) {
            (OTHER, _) => "HTTP",
            (name, _) => name,
        })?;
        match self.0.route() {
            Some(route) => write!(f, " {}", Text(route, MAX_SHORT_CHARS)),
            None => Ok(()),
        }
    }
}

/// Makes the span of a request. It is disabled if no subscriber enables it.
pub(super) fn span(record: &Record) -> Span {
    let level = record.settings.span_level();
    if !level.is_enabled() {
        return Span::none();
    }
    if record.settings.otel_spans { full_span(level, record) } else { short_span(level, record) }
}

/// Makes a span with what a person needs in front of the lines of inner layers.
fn short_span(level: Level, record: &Record) -> Span {
    let method = method(&record.request.method).0;
    let id = record.request_id().map(|it| text(it.as_bytes(), MAX_SHORT_CHARS));
    match record.settings.role {
        Role::Client => at_level!(
            level,
            span,
            Span::none(),
            "request",
            { f::METHOD } = display(method),
            { f::URL_FULL } = display(FullUrl(&RequestTarget::new(record))),
            { f::REQUEST_ID } = id,
        ),
        Role::Server => at_level!(
            level,
            span,
            Span::none(),
            "request",
            { f::METHOD } = display(method),
            { f::URL_PATH } = display(Text(record.request.uri.path(), MAX_LONG_CHARS)),
            { f::REQUEST_ID } = id,
        ),
    }
}

/// Makes a span with all attributes of the conventions.
fn full_span(level: Level, record: &Record) -> Span {
    let is_client = record.settings.role == Role::Client;
    let (method, original_method) = method(&record.request.method);
    let target = RequestTarget::new(record);
    let id = record.request_id();
    let version = record.version().and_then(version);
    at_level!(
        level,
        span,
        Span::none(),
        "request",
        { f::OTEL_NAME } = display(SpanName(record)),
        { f::OTEL_KIND } = display(if is_client { "client" } else { "server" }),
        { f::OTEL_STATUS_CODE } = tracing::field::Empty,
        { f::METHOD } = display(method),
        { f::METHOD_ORIGINAL } = original_method.map(|it| display(Text(it, MAX_SHORT_CHARS))),
        { f::URL_FULL } = is_client.then(|| display(FullUrl(&target))),
        { f::URL_PATH } =
            (!is_client).then(|| display(Text(record.request.uri.path(), MAX_LONG_CHARS))),
        { f::URL_QUERY } =
            target.query().filter(|_| !is_client).map(|it| display(Query(it, &target))),
        { f::URL_SCHEME } = (!is_client).then(|| display(target.scheme())),
        { f::SERVER_ADDRESS } = target.host().map(|it| Text(it, MAX_SHORT_CHARS).to_string()),
        { f::SERVER_PORT } = target.port().map(Port::number),
        { f::ROUTE } = record.route().map(|it| display(Text(it, MAX_SHORT_CHARS))),
        { f::REQUEST_ID } = id.map(|it| text(it.as_bytes(), MAX_SHORT_CHARS)),
        { f::RESEND_COUNT } = tracing::field::Empty,
        { f::PROTOCOL_VERSION } = version.map(display),
        { f::STATUS_CODE } = tracing::field::Empty,
        { f::ERROR_TYPE } = tracing::field::Empty,
    )
}

/// Records the attributes that are known at the end of a request.
pub(super) fn record_end(record: &Record, completion: &Completion<'_>) {
    let span = &record.span;
    if !record.settings.otel_spans || span.is_disabled() {
        return;
    }
    if let (Role::Client, Some(version)) =
        (record.settings.role, record.version().and_then(version))
    {
        span.record(f::PROTOCOL_VERSION, version);
    }
    if let Some(status) = record.status() {
        span.record(f::STATUS_CODE, status.as_u16());
    }
    if let Some(kind) = error_type(record, completion) {
        span.record(f::ERROR_TYPE, display(kind));
        span.record(f::OTEL_STATUS_CODE, "ERROR");
    }
    if let Some(count) = resend_count(record, completion) {
        span.record(f::RESEND_COUNT, count);
    }
}

/// Returns the number of requests sent before the last, if there were any.
pub(super) fn resend_count(record: &Record, completion: &Completion<'_>) -> Option<u32> {
    completion
        .attempts
        .or(record.request.attempt)
        .map(|attempts| attempts.saturating_sub(1))
        // The convention defines it for clients only: a gateway's caller sent its request once.
        .filter(|&count| count > 0 && record.settings.role == Role::Client)
}

/// Returns `error.type`, if the span's status is an error: a failed status, or else a name of low cardinality.
///
/// Returns `None` for a caller that gives up, and on a server for a fault of the caller.
pub(super) fn error_type<'a>(record: &'a Record, completion: &Completion<'_>) -> Option<&'a str> {
    let Completion { outcome, failure, .. } = *completion;
    let cause = failure.map(|failure| failure.cause());
    match outcome {
        Outcome::Panicked => return Some("panic"),
        Outcome::Cancelled => return None,
        Outcome::Error if cause == Some(Cause::Cancelled) => return None,
        Outcome::Complete | Outcome::Dropped | Outcome::Error => {}
    }
    let min_failed = match record.settings.role {
        Role::Client => 400,
        Role::Server => 500,
    };
    let status = record.response.as_ref().map(|response| &response.status);
    if let Some(status) = status.filter(|status| status.as_u16() >= min_failed) {
        return Some(status.as_str());
    }
    match outcome {
        Outcome::Error => Some(cause.map_or(OTHER, Cause::as_str)),
        // A status that only the user's classifier takes for a failure, such as gRPC's.
        _ => cause.filter(|_| status.is_some_and(|it| it.as_u16() < 400)).map(Cause::as_str),
    }
}
