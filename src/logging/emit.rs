//! Emits the record of a request: its line, a command that repeats it, and the end of its span.

use std::{
    fmt::{self, Write},
    time::Duration,
};

use http::HeaderMap;

use super::{
    Level,
    curl::Curl,
    escape::{Escaped, MAX_LONG_CHARS, MAX_SHORT_CHARS, Text, text},
    fields as f,
    headers::SelectedHeaders,
    level::at_level,
    message::Message,
    otel,
    outcome::{Completion, LineKind},
    record::Record,
    settings::{Role, Settings},
    target::{FullUrl, Port, Query, RequestTarget},
};

/// The shortest time of a body for which the time to the head is logged.
const MIN_BODY_TIME: Duration = Duration::from_millis(1);

pub(super) fn emit(record: &Record, completion: &Completion<'_>) {
    let settings = &*record.settings;
    let kind = completion.kind(settings.role);
    let level = kind.level(settings.levels);
    let is_sampled = matches!(kind, LineKind::Success | LineKind::Retried);
    if level.is_enabled() && (!is_sampled || settings.sample.is_sampled()) {
        let _entered = record.span.enter();
        line(record, completion, kind, level);
        if kind == LineKind::Failure && settings.is_curl_enabled() {
            tracing::event!(
                target: "seawall::logging::curl",
                tracing::Level::DEBUG,
                "{}", Curl(record),
            );
        }
    }
    otel::record_end(record, completion);
}

fn line(record: &Record, completion: &Completion<'_>, kind: LineKind, level: Level) {
    let settings = &*record.settings;
    let elapsed = record.started.elapsed();
    let is_client = settings.role == Role::Client;
    let Completion { outcome, failure, attempts, stop_reason, message } = *completion;
    let request = &record.request;
    let response = record.response.as_ref();
    let details = record.response_details();
    let target = RequestTarget::new(record);
    let (method, original_method) = otel::method(&request.method);
    // A success does not need them: on a client they are in the URL, on a server they are always the same.
    let is_verbose = kind != LineKind::Success;
    let server = is_verbose.then_some(target);
    let version = record.version().and_then(otel::version).filter(|_| is_verbose);
    // A value that may contain a space is passed as a string, not by `Display`. Text formats quote strings, so a peer cannot
    // forge another field.
    at_level!(
        level, event, (),
        {
            { f::METHOD } = display(method),
            { f::METHOD_ORIGINAL } = original_method.map(|it| display(Text(it, MAX_SHORT_CHARS))),
            { f::URL_FULL } = is_client.then(|| display(FullUrl(&target))),
            { f::URL_PATH } = (!is_client).then(|| display(Text(request.uri.path(), MAX_LONG_CHARS))),
            { f::URL_QUERY } = target.query().filter(|_| !is_client).map(|it| display(Query(it, &target))),
            { f::URL_SCHEME } = (is_verbose && !is_client).then(|| display(target.scheme())),
            { f::SERVER_ADDRESS } = server.and_then(|it| it.host()).map(|it| Text(it, MAX_SHORT_CHARS).to_string()),
            { f::SERVER_PORT } = server.and_then(|it| it.port()).map(Port::number),
            { f::ROUTE } = record.route().map(|it| Text(it, MAX_SHORT_CHARS).to_string()),
            { f::PROTOCOL_VERSION } = version.map(display),
            { f::USER_AGENT } = record.user_agent().map(|it| text(it.as_bytes(), MAX_SHORT_CHARS)),
            { f::STATUS_CODE } = response.map(|it| it.status.as_u16()),
            { f::BODY_SIZE } = response.map(|it| it.body_bytes),
            { f::RESEND_COUNT } = otel::resend_count(record, completion),
            { f::ERROR_TYPE } = otel::error_type(record, completion).map(display),
            { f::ERROR_MESSAGE } = message.map(error_text),
            { f::REQUEST_ID } = record.request_id().map(|it| text(it.as_bytes(), MAX_SHORT_CHARS)),
            { f::REQUEST_HEADERS } = selected_headers(record.request_headers(), settings),
            { f::RESPONSE_HEADERS } = selected_headers(details.and_then(|it| it.headers.as_ref()), settings),
            { f::RESPONSE_BODY } = details.and_then(|it| it.body.as_deref()).filter(|it| !it.is_empty()).map(|it| text(it, MAX_LONG_CHARS)),
            { f::CAUSE } = failure.map(|it| display(it.cause().as_str())),
            { f::REPORTER } = failure.map(|it| display(it.reporter().as_str())),
            { f::PROCESSED } = failure.map(|it| display(it.processed().as_str())),
            { f::EVIDENCE } = details.and_then(|it| it.evidence),
            { f::ADVICE } = failure.filter(|_| kind == LineKind::Failure).map(|it| it.cause().advice()),
            { f::ATTEMPTS } = attempts,
            { f::STOP_REASON } = stop_reason.map(display),
            { f::OUTCOME } = display(outcome.as_str()),
            { f::TIME_TO_HEADERS } = time_to_headers(record, elapsed).map(milliseconds),
            { f::DURATION } = milliseconds(elapsed),
        },
        "{}", Message { record, completion, kind, elapsed },
    );
}

fn selected_headers(headers: Option<&HeaderMap>, settings: &Settings) -> Option<String> {
    let names = &settings.headers;
    let headers = headers.filter(|_| !names.is_empty())?;
    Some(Escaped(SelectedHeaders { headers, names }, MAX_LONG_CHARS).to_string())
}

/// Returns the text of an error, up to where its `Display` fails.
fn error_text(error: &dyn fmt::Display) -> String {
    let mut text = String::new();
    let _ = write!(text, "{}", Escaped(error, MAX_SHORT_CHARS));
    text
}

/// Returns the time to the response's head, if the body took a time of its own.
fn time_to_headers(record: &Record, elapsed: Duration) -> Option<Duration> {
    let time_to_headers = record.response.as_ref()?.time_to_headers;
    (elapsed.saturating_sub(time_to_headers) >= MIN_BODY_TIME).then_some(time_to_headers)
}

/// Returns milliseconds, rounded down to a microsecond.
fn milliseconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e3
}
