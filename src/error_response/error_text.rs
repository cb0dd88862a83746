//! The text of an error that may leave this server.

use std::{
    error::Error,
    fmt::{self, Write},
};

use seawall_core::internal::chain;

const MAX_CHARS: usize = 512;

/// Joins the texts of a chain of errors by colons, in one line of at most 512 characters. Characters that could start a line,
/// control a terminal or change the direction of the text are replaced by `?`.
pub(super) fn error_text(error: &(dyn Error + 'static)) -> String {
    let mut all = Text::default();
    for error in chain(error) {
        let mut one = Text::default();
        // This fails if the text is long enough, or if the error's own `Display` does. The text so far is used.
        let _ = write!(one, "{error}");
        // Many libraries repeat the text of their source.
        if all.line.contains(&one.line) {
            continue;
        }
        let colon = if all.line.is_empty() { "" } else { ": " };
        if write!(all, "{colon}{}", one.line).is_err() {
            break;
        }
    }
    all.line
}

#[derive(Default)]
struct Text {
    line: String,
    length: usize,
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if self.length == MAX_CHARS {
                return Err(fmt::Error);
            }
            self.length += 1;
            let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            self.line.push(if c.is_control() || turns { '?' } else { c });
        }
        Ok(())
    }
}
