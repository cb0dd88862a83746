//! Logs panics in the format of the log.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic::{self, PanicHookInfo},
    thread,
};

use serde_json::{Map, Value};
use tracing::Level;

/// Replaces the hook of the standard library, which writes several lines of text.
pub(super) fn install() {
    panic::set_hook(Box::new(log_panic));
}

fn log_panic(info: &PanicHookInfo<'_>) {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref().map(String::as_str));
    let text = text.unwrap_or("a value that is no text");
    // A text with several lines must not look like several entries.
    let text: String = text.chars().flat_map(char::escape_debug).collect();
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    let thread = thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let message = format!("panic in thread {thread} at {location}: {text}");
    let mut fields = Map::new();
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        fields.insert("backtrace".into(), Value::from(backtrace.to_string()));
    }
    super::notice_with(Level::ERROR, &message, fields);
}
