//! What OpenTelemetry's conventions say of a request: its span, its status, the type of its error.
//!
//! <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>

use http::{Method, StatusCode, Version};
use tracing::{Span, field::display};

use super::{
    Level,
    end::{End, Ending},
    escape::{LONG, SHORT, Text, text},
    fields as f,
    level::at_level,
    record::Record,
    settings::Side,
    target::{Port, Query, Target, Url},
};
use crate::{
    failure::Cause,
    semconv::{self, OTHER},
};

/// A method by a name of which there are few; `None` beside it: that is its own.
pub(super) fn method(method: &Method) -> (&str, Option<&str>) {
    match semconv::method(method) {
        Some(name) => (name, None),
        None => (OTHER, Some(method.as_str())),
    }
}

/// As the convention for `network.protocol.version` wants it.
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

/// `{method} {route}`, or the method alone: never a path, of which there are too many.
struct Name<'a>(&'a Record);

impl std::fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match method(&self.0.method) {
            (OTHER, _) => "HTTP",
            (name, _) => name,
        })?;
        match self.0.more().and_then(|it| it.route.as_deref()) {
            Some(route) => write!(f, " {}", Text(route, SHORT)),
            None => Ok(()),
        }
    }
}

/// The span around a request; `None` if nobody wants it, though its level is heard.
pub(super) fn span(record: &Record) -> Option<Span> {
    let level = record.settings().span();
    let span = if record.settings().traces { full(level, record) } else { plain(level, record) };
    (!span.is_disabled()).then_some(span)
}

/// What a person wants to know in front of a line that others write.
fn plain(level: Level, record: &Record) -> Span {
    let target = Target::of(record);
    let id = record.request_id.as_ref();
    match record.settings().side {
        Side::Client => at_level!(
            level,
            span,
            Span::none(),
            "request",
            { f::METHOD } = display(method(&record.method).0),
            { f::URL_FULL } = display(Url(&target)),
            { f::REQUEST_ID } = id.map(|it| text(it.as_bytes(), SHORT)),
        ),
        Side::Server => at_level!(
            level,
            span,
            Span::none(),
            "request",
            { f::METHOD } = display(method(&record.method).0),
            { f::URL_PATH } = display(Text(record.uri().path(), LONG)),
            { f::REQUEST_ID } = id.map(|it| text(it.as_bytes(), SHORT)),
        ),
    }
}

fn full(level: Level, record: &Record) -> Span {
    let is_client = record.settings().side == Side::Client;
    let (method, original) = method(&record.method);
    let target = Target::of(record);
    let id = record.request_id.as_ref();
    let version = if is_client { None } else { version(record.version) };
    at_level!(
        level,
        span,
        Span::none(),
        "request",
        { f::OTEL_NAME } = display(Name(record)),
        { f::OTEL_KIND } = display(if is_client { "client" } else { "server" }),
        { f::OTEL_STATUS } = tracing::field::Empty,
        { f::METHOD } = display(method),
        { f::METHOD_ORIGINAL } = original.map(|it| display(Text(it, SHORT))),
        { f::URL_FULL } = is_client.then(|| display(Url(&target))),
        { f::URL_PATH } = (!is_client).then(|| display(Text(record.uri().path(), LONG))),
        { f::URL_QUERY } =
            target.query().filter(|_| !is_client).map(|it| display(Query(it, &target))),
        { f::URL_SCHEME } = (!is_client).then(|| display(target.scheme())),
        { f::SERVER_ADDRESS } = target.host().map(|it| Text(it, SHORT).to_string()),
        { f::SERVER_PORT } = target.port().map(Port::number),
        { f::ROUTE } =
            record.more().and_then(|it| it.route.as_deref()).map(|it| display(Text(it, SHORT))),
        { f::REQUEST_ID } = id.map(|it| text(it.as_bytes(), SHORT)),
        { f::RESEND_COUNT } = tracing::field::Empty,
        { f::PROTOCOL_VERSION } = version.map(display),
        { f::STATUS } = tracing::field::Empty,
        { f::ERROR_TYPE } = tracing::field::Empty,
    )
}

/// What is known of the span at its end.
pub(super) fn end(span: &Span, record: &Record, ending: &Ending<'_>) {
    if !record.settings().traces {
        return;
    }
    let status = record.status;
    if let (Side::Client, Some(_), Some(version)) =
        (record.settings().side, status, version(record.version))
    {
        span.record(f::PROTOCOL_VERSION, version);
    }
    if let Some(status) = status {
        span.record(f::STATUS, status.as_u16());
    }
    if let Some(kind) = error_type(record, ending) {
        span.record(f::ERROR_TYPE, display(kind));
        span.record(f::OTEL_STATUS, "ERROR");
    }
    if let Some(count) = resend_count(record, ending) {
        span.record(f::RESEND_COUNT, count);
    }
}

/// Requests sent before: only if there were any.
pub(super) fn resend_count(record: &Record, ending: &Ending<'_>) -> Option<u32> {
    ending
        .attempts
        .or(record.more().and_then(|it| it.attempt))
        .map(|attempts| attempts.saturating_sub(1))
        // The convention knows it of clients only: a gateway's caller sent its request once.
        .filter(|&n| n > 0 && record.settings().side == Side::Client)
}

/// What `error.type` is to be, if the span's status is "error": a failed status, or else a name of which there are few.
///
/// Not set for a caller that gives up, nor on a server for what is the caller's fault.
pub(super) fn error_type<'a>(record: &'a Record, ending: &Ending<'_>) -> Option<&'a str> {
    let failed = |status: &&StatusCode| match record.settings().side {
        Side::Client => status.as_u16() >= 400,
        Side::Server => status.as_u16() >= 500,
    };
    match ending.end {
        End::Panicked => return Some("panic"),
        End::Cancelled => return None,
        End::Error if ending.failure.is_some_and(|it| it.cause() == Cause::Cancelled) => {
            return None;
        }
        End::Complete | End::Dropped | End::Error => {}
    }
    if let Some(status) = record.status.as_ref().filter(failed) {
        return Some(status.as_str());
    }
    match ending.end {
        End::Error => Some(ending.failure.map_or("_OTHER", |failure| failure.cause().as_str())),
        // A status that only a classifier of the user's takes for a failure, such as that of gRPC.
        _ => ending
            .failure
            .filter(|_| record.status.is_some_and(|it| it.as_u16() < 400))
            .map(|failure| failure.cause().as_str()),
    }
}
