//! The format of a notice.

use serde_json::{Map, Value};
use tracing::Level;
use tracing_subscriber::fmt::{
    format::Writer,
    time::{FormatTime, SystemTime},
};

use crate::cli::LogFormat;

/// Returns the line of a notice: in the text format the message, and in the JSON format the object
/// that `tracing-subscriber` writes for an event.
pub(super) fn line(
    format: LogFormat,
    level: Level,
    message: &str,
    fields: Map<String, Value>,
) -> String {
    match format {
        LogFormat::Text => escape_controls(message) + "\n",
        LogFormat::Json => {
            let mut event_fields = Map::from_iter([("message".to_owned(), Value::from(message))]);
            event_fields.extend(fields);
            let event = serde_json::json!({
                "timestamp": timestamp(),
                "level": level.as_str(),
                "fields": event_fields,
                "target": env!("CARGO_CRATE_NAME"),
            });
            format!("{event}\n")
        }
    }
}

/// Returns the current time in the format of RFC 3339.
pub(crate) fn timestamp() -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    text
}

/// Escapes control characters except line breaks of the gateway's own text.
fn escape_controls(message: &str) -> String {
    let mut line = String::with_capacity(message.len());
    for c in message.chars() {
        if c.is_control() && c != '\n' {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}
