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
    let mut fields = Map::new();
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        fields.insert("backtrace".into(), Value::from(backtrace.to_string()));
    }
    super::notice_with(Level::ERROR, &message(info), fields);
}

/// Returns thread, place and text of the panic as one line.
fn message(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref().map(String::as_str));
    let text = text.unwrap_or("a value that is no text");
    // A text with several lines must not look like several entries.
    let text: String = text.chars().flat_map(char::escape_debug).collect();
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    let thread = thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    format!("panic in thread {thread} at {location}: {text}")
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn panic_is_one_line_with_thread_place_and_escaped_text() {
        let (sender, lines) = mpsc::channel();
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| sender.send(message(info)).unwrap()));
        let worker = thread::Builder::new().name("worker".into());
        let ended = worker.spawn(|| panic!("{}", "expected\n\u{1b}[31m")).unwrap().join();
        panic::set_hook(previous);
        assert!(ended.is_err());
        let line =
            lines.iter().find(|line| line.starts_with("panic in thread worker at ")).unwrap();
        assert!(line.contains("panic_hook.rs:"), "{line}");
        assert!(line.ends_with(r": expected\n\u{1b}[31m"), "{line}");
    }
}
