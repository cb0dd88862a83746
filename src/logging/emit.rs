//! Emits the record of a request: its event, the `curl` command after a failure, and the final
//! attributes of its span.

use std::{fmt, time::Duration};

use http::HeaderMap;

use super::{
    Level,
    curl::Curl,
    fields,
    headers::SelectedHeaders,
    level::at_level,
    message::Message,
    nesting::{EnclosingLog, FailedCall, InnerCall},
    otel,
    outcome::{Completion, EventKind},
    record::Record,
    settings::{Role, Settings},
    shed_calls::summarize_shed_calls,
    target::{FullUrl, Port, Query, RequestTarget},
};
use crate::{
    RequestAttributes,
    escape::{Escaped, EscapedStr, Lossy, MAX_LONG_CHARS, MAX_SHORT_CHARS, escape_bytes},
    redact::redact_text,
};

/// The minimum duration of a body for which the time to the head is logged.
const MIN_BODY_TIME: Duration = Duration::from_millis(1);

pub(super) fn emit(record: &Record, completion: &Completion<'_>) {
    let settings = &*record.settings;
    let inner_call = record.inner_calls.as_ref().and_then(EnclosingLog::close);
    let completion = &completion.with_inner_call(inner_call.as_deref());
    let kind = completion.kind(settings.role);
    let mut level = kind.level(settings.levels);
    if let Some(enclosing_log) = &record.enclosing_log {
        // A user who lowers the level of failures expects them here, such as those of a balancer
        // that then chooses another server. They do not concern the request.
        let is_warning = kind == EventKind::Failure && level.is_warning();
        let call = inner_call_of(record, completion, is_warning);
        if enclosing_log.report(call) && is_warning {
            level = Level::Debug;
        }
    }
    let is_sampled = matches!(kind, EventKind::Success | EventKind::Retried);
    if level.is_enabled() && (!is_sampled || settings.sampler.should_sample()) {
        let _entered = record.span.enter();
        emit_event(record, completion, kind, level);
        if kind == EventKind::Failure && settings.is_curl_enabled() {
            tracing::event!(
                target: "seawall::logging::curl",
                tracing::Level::DEBUG,
                "{}", Curl(record),
            );
        }
    }
    summarize_shed_calls(record, completion, kind);
    otel::record_end(record, completion);
}

/// Returns the report for the log around this one.
fn inner_call_of(record: &Record, completion: &Completion<'_>, is_warning: bool) -> InnerCall {
    let failed = is_warning.then(|| FailedCall {
        failure: completion.failure,
        attempts: completion.attempts,
        stop_reason: completion.stop_reason,
        message: completion.message.map(|it| error_text(it, &record.settings)),
    });
    let inner_uri = completion.inner_call.and_then(|call| call.uri.as_ref());
    InnerCall { uri: inner_uri.or_else(|| record.upstream_uri()).cloned(), failed }
}

fn emit_event(record: &Record, completion: &Completion<'_>, kind: EventKind, level: Level) {
    let settings = &*record.settings;
    let elapsed = record.started.elapsed();
    let is_client = settings.role == Role::Client;
    let Completion { outcome, attempts, stop_reason, message, inner_call, .. } = *completion;
    let failure = completion.any_failure();
    let upstream = inner_call.and_then(|call| call.uri.as_ref());
    let upstream = upstream.or_else(|| record.upstream_uri()).filter(|_| !is_client);
    let request = &record.request;
    let response = record.response.as_ref();
    let grpc_status = response.and_then(|it| it.grpc_status.as_ref());
    let details = record.response_details();
    let target = RequestTarget::new(record);
    let names = record.attributes.as_ref().map(RequestAttributes::names).unwrap_or_default();
    let (method, original_method) = otel::method_names(&request.method);
    // A success omits some fields: on a client they are in the URL, on a server they never change.
    let is_verbose = kind != EventKind::Success;
    let server = is_verbose.then_some(target);
    let version = record.version().and_then(otel::version_name).filter(|_| is_verbose);
    // A value that may contain a space is passed as a string, not with `Display`. Text formats
    // quote strings, so a peer cannot forge another field.
    at_level!(
        level,
        event,
        (),
        {
            { fields::METHOD } = display(method),
            { fields::METHOD_ORIGINAL } =
                original_method.map(|it| display(EscapedStr(it, MAX_SHORT_CHARS))),
            { fields::URL_FULL } = is_client.then(|| display(FullUrl(target))),
            { fields::URL_PATH } =
                (!is_client).then(|| display(Escaped(target.path(), MAX_LONG_CHARS))),
            { fields::URL_QUERY } =
                target.query().filter(|_| !is_client).map(|it| display(Query(it, target))),
            { fields::URL_SCHEME } = (is_verbose && !is_client).then(|| display(target.scheme())),
            { fields::SERVER_ADDRESS } = server
                .and_then(|it| it.host())
                .map(|it| EscapedStr(it, MAX_SHORT_CHARS).to_string()),
            { fields::SERVER_PORT } = server.and_then(|it| it.port()).map(Port::number),
            { fields::CLIENT } = names.client.as_deref(),
            { fields::SERVICE } = names.service.as_deref(),
            { fields::UPSTREAM_NAME } = names.upstream.as_deref(),
            { fields::UPSTREAM_KEY } = names.upstream_key.as_deref(),
            { fields::UPSTREAM_URL } =
                upstream.map(|it| display(FullUrl(target.with_uri(it)))),
            { fields::ROUTE } =
                record.route().map(|it| EscapedStr(it, MAX_SHORT_CHARS).to_string()),
            { fields::PROTOCOL_VERSION } = version.map(display),
            { fields::USER_AGENT } =
                record.user_agent().map(|it| escape_bytes(it.as_bytes(), MAX_SHORT_CHARS)),
            { fields::STATUS_CODE } = response.map(|it| it.status.as_u16()),
            { fields::GRPC_STATUS } = grpc_status.map(|it| it.name()),
            { fields::GRPC_MESSAGE } = grpc_status
                .and_then(|it| it.message.as_ref())
                .map(|it| error_text(&Lossy(it.as_bytes()), settings)),
            { fields::BODY_SIZE } = response.map(|it| it.body_bytes),
            { fields::RESEND_COUNT } = otel::resend_count(record, completion),
            { fields::ERROR_TYPE } = otel::error_type(record, completion).map(display),
            { fields::ERROR_MESSAGE } = message.map(|it| error_text(it, settings)),
            { fields::REQUEST_ID } =
                record.request_id().map(|it| escape_bytes(it.as_bytes(), MAX_SHORT_CHARS)),
            { fields::REQUEST_HEADERS } = selected_headers(record.request_headers(), settings),
            { fields::RESPONSE_HEADERS } =
                selected_headers(details.and_then(|it| it.headers.as_ref()), settings),
            { fields::RESPONSE_BODY } = details
                .and_then(|it| it.body.as_deref())
                .filter(|it| !it.is_empty())
                .map(|it| redact_text(&Lossy(it), &settings.redaction))
                .map(|it| Escaped(it, MAX_LONG_CHARS).to_string()),
            { fields::CAUSE } = failure.map(|it| display(it.cause().as_str())),
            { fields::RETRIED_CAUSE } = details
                .filter(|_| failure.is_none())
                .and_then(|it| it.retried)
                .map(|it| display(it.cause().as_str())),
            { fields::REPORTER } = failure.map(|it| display(it.reporter().as_str())),
            { fields::PROCESSED } = failure.map(|it| display(it.processed().as_str())),
            { fields::EVIDENCE } = details.and_then(|it| it.evidence),
            { fields::ADVICE } =
                failure.filter(|_| kind == EventKind::Failure).map(|it| it.advice()),
            { fields::ATTEMPTS } = attempts,
            { fields::STOP_REASON } = stop_reason.map(display),
            { fields::OUTCOME } = display(outcome.as_str()),
            { fields::TIME_TO_HEADERS } = time_to_headers(record, elapsed).map(milliseconds),
            { fields::DURATION } = milliseconds(elapsed),
        },
        "{}",
        Message { record, completion, kind, elapsed },
    );
}

fn selected_headers(headers: Option<&HeaderMap>, settings: &Settings) -> Option<String> {
    let names = &settings.headers;
    let headers = headers.filter(|_| !names.is_empty())?;
    let headers = redact_text(&SelectedHeaders { headers, names }, &settings.redaction);
    Some(Escaped(headers, MAX_LONG_CHARS).to_string())
}

/// Returns the text of an error, redacted and escaped.
pub(super) fn error_text(error: &dyn fmt::Display, settings: &Settings) -> String {
    Escaped(redact_text(error, &settings.redaction), MAX_SHORT_CHARS).to_string()
}

/// Returns the time to the response's head, if the body took at least [`MIN_BODY_TIME`].
fn time_to_headers(record: &Record, elapsed: Duration) -> Option<Duration> {
    let time_to_headers = record.response.as_ref()?.time_to_headers;
    (elapsed.saturating_sub(time_to_headers) >= MIN_BODY_TIME).then_some(time_to_headers)
}

/// Converts a duration to milliseconds, rounded down to a microsecond.
fn milliseconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e3
}
