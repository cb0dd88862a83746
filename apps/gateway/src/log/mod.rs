//! The log on standard error.
//!
//! A thread of its own writes it, so that no request waits for a reader. Requests are events of
//! `tracing`. Everything else is a [`notice`]: start, reload, shutdown and errors that end the
//! program.

mod buffer;
mod line_limit;
mod notice;
mod panic_hook;
mod subscriber;

use std::{
    fmt,
    io::{self, IsTerminal, Write},
    sync::OnceLock,
    time::Duration,
};

use serde_json::{Map, Value};
use tracing::Level;

use self::buffer::LogBuffer;
pub(crate) use self::{
    line_limit::LineLimit,
    notice::timestamp,
    subscriber::{LogHandle, start_events},
};
use crate::{cli::LogFormat, terminal};

/// The time to write the rest of the log when the program ends.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

static LOG: OnceLock<Log> = OnceLock::new();

struct Log {
    buffer: LogBuffer,
    format: LogFormat,
}

/// Starts the thread that writes the log, and logs panics from now on.
///
/// # Errors
/// Returns an error if the system cannot start a thread.
pub(crate) fn start(format: LogFormat) -> io::Result<CloseOnDrop> {
    let report = move |dropped| {
        let fields = Map::from_iter([("dropped".to_owned(), Value::from(dropped))]);
        let lines = if dropped == 1 { "line" } else { "lines" };
        let message =
            format!("{dropped} {lines} of the log were lost: standard error was blocked or full");
        notice::line(format, Level::WARN, &message, fields)
    };
    let buffer = LogBuffer::start(io::stderr(), report)?;
    // A second call has no effect.
    let _ = LOG.set(Log { buffer, format });
    panic_hook::install();
    Ok(CloseOnDrop)
}

/// Writes the rest of the log when it is dropped, for at most a second.
pub(crate) struct CloseOnDrop;

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        if let Some(log) = LOG.get() {
            log.buffer.close(CLOSE_TIMEOUT);
        }
    }
}

/// Logs a line, whatever `RUST_LOG` is. In the text format, the line has the message only.
pub(crate) fn notice(level: Level, message: &dyn fmt::Display) {
    notice_with(level, message, Map::new());
}

/// Logs a line with fields, which are in the JSON format only.
pub(crate) fn notice_with(level: Level, message: &dyn fmt::Display, fields: Map<String, Value>) {
    if let Some(Log { buffer, format }) = LOG.get() {
        let mut message = message.to_string();
        if matches!(format, LogFormat::Text) && io::stderr().is_terminal() {
            message = terminal::fit(message);
        }
        buffer.append(notice::line(*format, level, &message, fields).as_bytes());
    }
}

/// Returns the number of lines that were lost since the start.
pub(crate) fn dropped_lines() -> u64 {
    LOG.get().map_or(0, |log| log.buffer.dropped_lines())
}

/// Writes a line to standard output. Its end may be closed, which is no error.
pub(crate) fn print_line(line: &dyn fmt::Display) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
