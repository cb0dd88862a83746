//! Formats an error and its sources for a response.

use std::{
    error::Error,
    fmt::{self, Write},
};

use seawall_core::internal::chain;

use crate::{
    escape::needs_escape,
    redact::{Redaction, redact_text},
};

/// The maximum length of the text.
const MAX_CHARS: usize = 512;

/// Joins the texts of an error and its sources with colons, in one line of at most 512 characters.
///
/// Secrets are redacted. Characters that could start a line, control a terminal or change the text
/// direction are replaced by `?`.
pub(super) fn error_text(error: &(dyn Error + 'static), redaction: &Redaction) -> String {
    let mut joined = BoundedLine::default();
    for error in chain(error) {
        let mut message = BoundedLine::default();
        // Fails if the text is too long. The text written before that is used.
        let _ = message.write_str(&redact_text(error, redaction));
        // Many libraries repeat the text of their source.
        if joined.text.contains(&message.text) {
            continue;
        }
        let separator = if joined.text.is_empty() { "" } else { ": " };
        if write!(joined, "{separator}{}", message.text).is_err() {
            break;
        }
    }
    joined.text
}

/// A line of at most [`MAX_CHARS`] characters. A write beyond that returns an error.
#[derive(Default)]
struct BoundedLine {
    text: String,
    char_count: usize,
}

impl Write for BoundedLine {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if self.char_count == MAX_CHARS {
                return Err(fmt::Error);
            }
            self.char_count += 1;
            self.text.push(if needs_escape(c) { '?' } else { c });
        }
        Ok(())
    }
}
