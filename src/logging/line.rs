//! The event at the end of a request.

use std::{
    fmt::{self, Write},
    time::Duration,
};

use http::{HeaderMap, StatusCode};

use super::{
    Level,
    curl::Curl,
    end::{End, Ending, Kind},
    escape::{Escaped, LONG, SHORT, Text, text},
    fields as f,
    headers::Shown,
    level::at_level,
    opentelemetry as otel,
    record::{More, Record},
    settings::{Settings, Side},
    span::Entered,
    target::{Port, Query, Target, Url},
};
use crate::panics::silenced;

/// Writes it, unless nobody is to know.
pub(super) fn write(record: &Record, ending: &Ending<'_>) {
    let settings = record.settings();
    let level = ending.level(settings);
    if !level.is_heard() {
        return;
    }
    let kind = ending.kind(settings.side);
    if matches!(kind, Kind::Success | Kind::Retried) && !settings.sample.takes() {
        return;
    }
    let elapsed = record.started.elapsed();
    let is_client = settings.side == Side::Client;
    let Ending { end, failure, attempts, stop, message } = *ending;
    let more = record.more();
    let target = Target::of(record);
    let (method, original) = otel::method(&record.method);
    // Worth its place only where there is something to look into: the rest is in the URL, or ever the same.
    let at_length = kind != Kind::Success;
    let server = at_length.then_some(target);
    // A client's request says what it would like; the response, what it was.
    let version = otel::version(record.version)
        .filter(|_| at_length && (!is_client || record.status.is_some()));
    // What may have a space in it is handed on as a string, so that a format of text has it in quotes, and nothing that a
    // peer sends can look like another field.
    let _entered = Entered::new(record.span());
    at_level!(
        level, event, (),
        {
            { f::METHOD } = display(method),
            { f::METHOD_ORIGINAL } = original.map(|it| display(Text(it, SHORT))),
            { f::URL_FULL } = is_client.then(|| display(Url(&target))),
            { f::URL_PATH } = (!is_client).then(|| display(Text(record.uri().path(), LONG))),
            { f::URL_QUERY } = target.query().filter(|_| !is_client).map(|it| display(Query(it, &target))),
            { f::URL_SCHEME } = (at_length && !is_client).then(|| display(target.scheme())),
            { f::SERVER_ADDRESS } = server.and_then(|it| it.host()).map(|it| Text(it, SHORT).to_string()),
            { f::SERVER_PORT } = server.and_then(|it| it.port()).map(Port::number),
            { f::ROUTE } = more.and_then(|it| it.route.as_deref()).map(|it| Text(it, SHORT).to_string()),
            { f::PROTOCOL_VERSION } = version.map(display),
            { f::USER_AGENT } = more.and_then(|it| it.user_agent.as_ref()).map(|it| text(it.as_bytes(), SHORT)),
            { f::STATUS } = record.status.map(|it| it.as_u16()),
            { f::BODY_SIZE } = record.status.map(|_| record.body_bytes),
            { f::RESEND_COUNT } = otel::resend_count(record, ending),
            { f::ERROR_TYPE } = otel::error_type(record, ending).map(display),
            { f::ERROR_MESSAGE } = message.map(said),
            { f::REQUEST_ID } = record.request_id.as_ref().map(|it| text(it.as_bytes(), SHORT)),
            { f::REQUEST_HEADERS } = more.and_then(|it| shown(it.headers.as_ref(), settings)),
            { f::RESPONSE_HEADERS } = more.and_then(|it| shown(it.response_headers.as_ref(), settings)),
            { f::RESPONSE_BODY } = more.and_then(kept_body).map(|it| text(it, LONG)),
            { f::CAUSE } = failure.map(|it| display(it.cause().as_str())),
            { f::REPORTER } = failure.map(|it| display(it.reporter().as_str())),
            { f::PROCESSED } = failure.map(|it| display(it.processed().as_str())),
            { f::NOTE } = more.and_then(|it| it.note),
            { f::ADVICE } = failure.filter(|_| kind == Kind::Failure).map(|it| it.cause().advice()),
            { f::ATTEMPTS } = attempts,
            { f::STOP } = stop.map(display),
            { f::END } = display(end.as_str()),
            { f::HEAD } = head_time(record, elapsed).map(milliseconds),
            { f::DURATION } = milliseconds(elapsed),
        },
        "{}", Line { record, ending, kind, elapsed },
    );
    if kind == Kind::Failure && repeats(settings) {
        tracing::event!(target: "seawall::logging::curl", tracing::Level::DEBUG, "{}", Curl(record));
    }
}

/// Whether the command that repeats a failed request is wanted by somebody.
#[inline]
pub(super) fn repeats(settings: &Settings) -> bool {
    settings.curl
        && Level::Debug.is_heard()
        && tracing::enabled!(target: "seawall::logging::curl", tracing::Level::DEBUG)
}

fn shown<'a>(headers: Option<&'a HeaderMap>, settings: &'a Settings) -> Option<String> {
    let shown = Shown { headers: headers?, names: &settings.headers };
    (!settings.headers.is_empty()).then(|| Escaped(shown, LONG).to_string())
}

/// As far as it says itself: an error of somebody else's may fail at that, or panic, and has yet to be logged and handed on.
fn said(error: &dyn fmt::Display) -> String {
    let mut said = String::new();
    silenced(|| {
        let _ = write!(said, "{}", Escaped(error, SHORT));
    });
    said
}

fn kept_body(more: &More) -> Option<&[u8]> {
    more.body.as_deref().filter(|body| !body.is_empty())
}

/// Only if the body took some time of its own.
fn head_time(record: &Record, elapsed: Duration) -> Option<Duration> {
    let after = record.more().and_then(|it| it.after)?;
    (elapsed.saturating_sub(after) >= Duration::from_millis(1)).then_some(after)
}

/// To the microsecond: more would be noise.
fn milliseconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e3
}

/// The line for a person.
struct Line<'a> {
    record: &'a Record,
    ending: &'a Ending<'a>,
    kind: Kind,
    elapsed: Duration,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A subscriber may look at each piece that it is handed.
        let mut line = String::with_capacity(128);
        self.write(&mut line)?;
        f.write_str(&line)
    }
}

impl Line<'_> {
    fn write(&self, out: &mut String) -> fmt::Result {
        let Self { record, ending, elapsed, .. } = self;
        write!(out, "{} {} -> ", Text(record.method.as_str(), SHORT), Target::of(record))?;
        let status = record.status.as_ref().map(StatusCode::as_str);
        match (ending.end, status, ending.failure) {
            (End::Cancelled, ..) => out.push_str("cancelled"),
            (End::Panicked, ..) => out.push_str("panicked"),
            (End::Complete, Some(status), None) => out.push_str(status),
            (End::Complete, Some(status), Some(_)) if self.kind == Kind::ClientError => {
                out.push_str(status);
            }
            (End::Dropped, Some(status), None) => write!(out, "{status}, dropped")?,
            // The failure names the status itself, when it is one.
            (End::Error, Some(status), Some(failure)) => write!(out, "{status}, then {failure}")?,
            (_, _, Some(failure)) => write!(out, "{failure}")?,
            (_, _, None) => out.push_str(ending.end.as_str()),
        }
        write!(out, " in {elapsed:.1?}")?;
        let more = record.more();
        let stop = ending.stop.filter(|_| self.kind == Kind::Failure);
        match (ending.attempts, more.and_then(|it| it.attempt)) {
            (Some(1), _) if stop.is_some() => out.push_str(", 1 attempt"),
            (Some(attempts), _) if attempts > 1 => write!(out, ", {attempts} attempts")?,
            (_, Some(attempt)) => write!(out, ", attempt {attempt}")?,
            _ => {}
        }
        if let Some(stop) = stop {
            write!(out, " ({})", stop.replace('_', " "))?;
        }
        match more.and_then(|it| it.note) {
            Some(note) => write!(out, ": {note}"),
            None => Ok(()),
        }
    }
}
