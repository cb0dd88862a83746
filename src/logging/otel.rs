//! The span of a request, and the attributes that OpenTelemetry's conventions define for it.
//!
//! <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>

use std::fmt;

use http::{Method, Version};
use seawall_core::Cause;
use tracing::{Span, field::display};

use super::{
    Level, fields,
    level::at_level,
    outcome::{Completion, Outcome},
    record::Record,
    settings::Role,
    target::{FullUrl, Port, Query, RequestTarget},
};
use crate::{
    escape::{Escaped, EscapedStr, MAX_LONG_CHARS, MAX_SHORT_CHARS, escape_bytes},
    semconv::{self, OTHER},
};

/// Returns a method name of low cardinality, and the original name if it differs.
pub(super) fn method_names(method: &Method) -> (&str, Option<&str>) {
    match semconv::method_name(method) {
        Some(name) => (name, None),
        None => (OTHER, Some(method.as_str())),
    }
}

/// Returns the value of `network.protocol.version`.
pub(super) const fn version_name(version: Version) -> Option<&'static str> {
    Some(match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => return None,
    })
}

/// The span name: `{method} {route}`, or only the method. A path has too high a cardinality.
struct SpanName<'a>(&'a Record);

impl fmt::Display for SpanName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match method_names(&self.0.request.method) {
            (OTHER, _) => "HTTP",
            (name, _) => name,
        })?;
        match self.0.route() {
            Some(route) => write!(f, " {}", EscapedStr(route, MAX_SHORT_CHARS)),
            None => Ok(()),
        }
    }
}

/// Creates the span of a request. It is disabled if no subscriber enables its level.
pub(super) fn new_span(record: &Record) -> Span {
    let level = record.settings.span_level();
    if !level.is_enabled() {
        return Span::none();
    }
    if record.settings.otel_spans { otel_span(level, record) } else { short_span(level, record) }
}

/// Creates a span with the few fields that formatters write before the events of inner layers.
fn short_span(level: Level, record: &Record) -> Span {
    let (method, _) = method_names(&record.request.method);
    let id = record.request_id().map(|it| escape_bytes(it.as_bytes(), MAX_SHORT_CHARS));
    match record.settings.role {
        Role::Client => at_level!(
            level,
            span,
            Span::none(),
            "request",
            { fields::METHOD } = display(method),
            { fields::URL_FULL } = display(FullUrl(RequestTarget::new(record))),
            { fields::REQUEST_ID } = id,
        ),
        Role::Server => at_level!(
            level,
            span,
            Span::none(),
            "request",
            { fields::METHOD } = display(method),
            { fields::URL_PATH } =
                display(Escaped(RequestTarget::new(record).path(), MAX_LONG_CHARS)),
            { fields::REQUEST_ID } = id,
        ),
    }
}

/// Creates a span with all attributes of the conventions.
fn otel_span(level: Level, record: &Record) -> Span {
    let is_client = record.settings.role == Role::Client;
    let (method, original_method) = method_names(&record.request.method);
    let target = RequestTarget::new(record);
    let id = record.request_id();
    let version = record.version().and_then(version_name);
    at_level!(
        level,
        span,
        Span::none(),
        "request",
        { fields::OTEL_NAME } = display(SpanName(record)),
        { fields::OTEL_KIND } = display(if is_client { "client" } else { "server" }),
        { fields::OTEL_STATUS_CODE } = tracing::field::Empty,
        { fields::METHOD } = display(method),
        { fields::METHOD_ORIGINAL } =
            original_method.map(|it| display(EscapedStr(it, MAX_SHORT_CHARS))),
        { fields::URL_FULL } = is_client.then(|| display(FullUrl(target))),
        { fields::URL_PATH } =
            (!is_client).then(|| display(Escaped(target.path(), MAX_LONG_CHARS))),
        { fields::URL_QUERY } =
            target.query().filter(|_| !is_client).map(|it| display(Query(it, target))),
        { fields::URL_SCHEME } = (!is_client).then(|| display(target.scheme())),
        { fields::SERVER_ADDRESS } =
            target.host().map(|it| EscapedStr(it, MAX_SHORT_CHARS).to_string()),
        { fields::SERVER_PORT } = target.port().map(Port::number),
        { fields::ROUTE } = record.route().map(|it| display(EscapedStr(it, MAX_SHORT_CHARS))),
        { fields::REQUEST_ID } = id.map(|it| escape_bytes(it.as_bytes(), MAX_SHORT_CHARS)),
        { fields::RESEND_COUNT } = tracing::field::Empty,
        { fields::PROTOCOL_VERSION } = version.map(display),
        { fields::STATUS_CODE } = tracing::field::Empty,
        { fields::ERROR_TYPE } = tracing::field::Empty,
    )
}

/// Records the attributes that are known at the end of a request.
pub(super) fn record_end(record: &Record, completion: &Completion<'_>) {
    let span = &record.span;
    if !record.settings.otel_spans || span.is_disabled() {
        return;
    }
    if let (Role::Client, Some(version)) =
        (record.settings.role, record.version().and_then(version_name))
    {
        span.record(fields::PROTOCOL_VERSION, version);
    }
    if let Some(status) = record.status() {
        span.record(fields::STATUS_CODE, status.as_u16());
    }
    if let Some(error_type) = error_type(record, completion) {
        span.record(fields::ERROR_TYPE, display(error_type));
        span.record(fields::OTEL_STATUS_CODE, "ERROR");
    }
    if let Some(count) = resend_count(record, completion) {
        span.record(fields::RESEND_COUNT, count);
    }
}

/// Returns the number of requests sent before the last one, unless it is zero.
pub(super) fn resend_count(record: &Record, completion: &Completion<'_>) -> Option<u32> {
    completion
        .attempts
        .or(record.request.attempt)
        .map(|attempts| attempts.saturating_sub(1))
        // The convention defines it for clients only. The caller of a gateway sent its request
        // once.
        .filter(|&count| count > 0 && record.settings.role == Role::Client)
}

/// Returns `error.type`, if the span's status is an error.
///
/// It is the status if that is a failure, or else a name of low cardinality. It is `None` if the
/// caller cancelled, and on a server for an error of the caller.
pub(super) fn error_type<'a>(record: &'a Record, completion: &Completion<'_>) -> Option<&'a str> {
    let Completion { outcome, failure, .. } = *completion;
    let cause = failure.map(|failure| failure.cause());
    match outcome {
        Outcome::Panicked => return Some("panic"),
        Outcome::Cancelled => return None,
        Outcome::Error if cause == Some(Cause::Cancelled) => return None,
        Outcome::Complete | Outcome::Dropped | Outcome::Error => {}
    }
    let min_error_status = match record.settings.role {
        Role::Client => 400,
        Role::Server => 500,
    };
    let status = record.response.as_ref().map(|response| &response.status);
    if let Some(status) = status.filter(|status| status.as_u16() >= min_error_status) {
        return Some(status.as_str());
    }
    match outcome {
        Outcome::Error => Some(cause.map_or(OTHER, Cause::as_str)),
        // A response that only the user's classifier considers a failure, such as gRPC's.
        _ => cause.filter(|_| status.is_some_and(|it| it.as_u16() < 400)).map(Cause::as_str),
    }
}
