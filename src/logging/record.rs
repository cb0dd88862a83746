use std::{error::Error, fmt, time::Duration};

use http::{Method, StatusCode, Uri};
use tokio::time::Instant;
use tracing::Span;

use super::{
    Level,
    escape::Escaped,
    layer::{Levels, Side},
    level::at_level,
    target::Target,
};
use crate::{Cause, Failure, error::chain};

/// What is known of one request. Written once: when it is finished, or else when it is dropped.
#[derive(Debug)]
pub(super) struct Record {
    side: Side,
    levels: Levels,
    method: Method,
    uri: Uri,
    started: Instant,
    pub(super) span: Span,
    head: Option<Head>,
    pub(super) body_bytes: u64,
    written: bool,
}

/// What is known once the response's head has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) failure: Option<Failure>,
    /// Requests sent, the first included.
    pub(super) attempts: Option<u32>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Complete,
    /// An error in place of the response, or in its body.
    Error,
    /// The caller dropped the response's body before its end.
    Dropped,
    /// The caller dropped the call before a response.
    Cancelled,
}

impl Record {
    /// `None` when nobody would read it.
    pub(super) fn start(side: Side, levels: Levels, method: &Method, uri: &Uri) -> Option<Self> {
        if !levels.success.is_heard() && !levels.failure.is_heard() && !Level::Info.is_heard() {
            return None;
        }
        let target = Target { uri, side };
        let span = at_level!(
            levels.success,
            span,
            Span::none(),
            "request",
            "http.request.method" = method.as_str(),
            "url.full" = (side == Side::Client).then(|| display(&target)),
            "url.path" = (side == Side::Server).then(|| display(&target)),
        );
        Some(Self {
            side,
            levels,
            method: method.clone(),
            uri: uri.clone(),
            started: Instant::now(),
            span,
            head: None,
            body_bytes: 0,
            written: false,
        })
    }

    pub(super) fn head(&mut self, head: Head) {
        self.head = Some(head);
    }

    /// The response has come to its end.
    pub(super) fn complete(mut self) {
        let failure = self.head.and_then(|head| head.failure);
        self.write(End::Complete, failure, self.head.and_then(|head| head.attempts), None);
    }

    /// An error in place of the response, or in its body. `known` is the error, if its type is one that can be looked
    /// into; `text` is its own text.
    pub(super) fn error(
        mut self,
        failure: Failure,
        attempts: Option<u32>,
        known: Option<&(dyn Error + 'static)>,
        text: &dyn fmt::Display,
    ) {
        // The innermost source says most and repeats least; what stands around it may quote a URL.
        let innermost =
            known.and_then(|error| chain(error).filter(|it| !it.is::<Failure>()).last());
        let message = match &innermost {
            Some(error) if quotes_url(*error) => None,
            Some(error) => Some(error as &dyn fmt::Display),
            None => Some(text),
        };
        self.write(End::Error, Some(failure), attempts, message);
    }

    fn write(
        &mut self,
        end: End,
        failure: Option<Failure>,
        attempts: Option<u32>,
        message: Option<&dyn fmt::Display>,
    ) {
        self.written = true;
        let elapsed = self.started.elapsed();
        let attempts = attempts.or(self.head.and_then(|head| head.attempts));
        let line = Line { record: self, end, failure, attempts, elapsed };
        let target = Target { uri: &self.uri, side: self.side };
        let client = self.side == Side::Client;
        let _entered = self.span.enter();
        at_level!(
            self.level(end, failure, attempts),
            event,
            (),
            "http.request.method" = self.method.as_str(),
            "url.full" = client.then(|| display(&target)),
            "url.path" = (!client).then(|| display(&target)),
            "server.address" = if client { self.uri.host() } else { None },
            "server.port" = if client { self.uri.port_u16() } else { None },
            "http.response.status_code" = self.head.map(|head| head.status.as_u16()),
            "http.response.body.size" = self.body_bytes,
            "http.request.resend_count" = attempts.map(|attempts| attempts.saturating_sub(1)),
            "error.type" = failure.map(|failure| failure.cause().as_str()),
            "error.message" = message.map(|message| display(Escaped(message))),
            "seawall.reporter" = failure.map(|failure| failure.reporter().as_str()),
            "seawall.processed" = failure.map(|failure| failure.processed().as_str()),
            "seawall.end" = end.as_str(),
            "seawall.duration_ms" = milliseconds(elapsed),
            "{line}",
        );
    }

    fn level(&self, end: End, failure: Option<Failure>, attempts: Option<u32>) -> Level {
        match (end, failure.map(|failure| failure.cause())) {
            (End::Dropped | End::Cancelled, _) => Level::Info,
            (_, Some(Cause::ClientError | Cause::Conflict)) => self.levels.success,
            (_, Some(Cause::CircuitOpen)) => Level::Debug,
            (_, Some(_)) => self.levels.failure,
            (_, None) if self.side == Side::Client && attempts.is_some_and(|n| n > 1) => {
                Level::Info
            }
            (_, None) => self.levels.success,
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.written {
            let end = if self.head.is_some() { End::Dropped } else { End::Cancelled };
            let failure = self.head.and_then(|head| head.failure);
            self.write(end, failure, None, None);
        }
    }
}

/// Whether an error's own text may contain the URL of the request, with all that is secret in it.
fn quotes_url(error: &(dyn Error + 'static)) -> bool {
    #[cfg(feature = "reqwest-0_13")]
    return error.is::<reqwest::Error>();
    #[cfg(not(feature = "reqwest-0_13"))]
    {
        let _ = error;
        false
    }
}

/// To the microsecond: more would be noise.
fn milliseconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e3
}

impl End {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Error => "error",
            Self::Dropped => "dropped",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The line for a person.
struct Line<'a> {
    record: &'a Record,
    end: End,
    failure: Option<Failure>,
    attempts: Option<u32>,
    elapsed: Duration,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Record { method, uri, side, head, .. } = self.record;
        write!(f, "{method} {} -> ", Target { uri, side: *side })?;
        match (self.end, head, self.failure) {
            (End::Cancelled, ..) => f.write_str("cancelled")?,
            (End::Complete, Some(head), None) => write!(f, "{}", head.status.as_u16())?,
            (End::Dropped, Some(head), _) => write!(f, "{}, dropped", head.status.as_u16())?,
            // The failure names the status itself, when it is one.
            (End::Error, Some(head), Some(failure)) => {
                write!(f, "{}, then {failure}", head.status.as_u16())?;
            }
            (_, _, Some(failure)) => write!(f, "{failure}")?,
            (_, _, None) => f.write_str(self.end.as_str())?,
        }
        write!(f, " in {:.1?}", self.elapsed)?;
        match self.attempts {
            Some(attempts) if attempts > 1 => write!(f, ", {attempts} attempts"),
            _ => Ok(()),
        }
    }
}
