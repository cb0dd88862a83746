//! The text of an error, as far as it may leave this server.

use std::{
    error::Error,
    fmt::{self, Write},
};

use crate::error::chain;

/// In characters.
const LONGEST: usize = 512;

/// What the errors of a chain say, joined by colons: one line, at most 512 characters. What could begin a line, speak to
/// a terminal or turn the direction of the text is replaced by `?`.
pub(super) fn text(error: &(dyn Error + 'static)) -> String {
    let mut all = Text::default();
    for error in chain(error) {
        let mut one = Text::default();
        // An error here means "long enough", or is the error's own: what is written so far is taken.
        let _ = write!(one, "{error}");
        // Many libraries repeat what their source says.
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
            if self.length == LONGEST {
                return Err(fmt::Error);
            }
            self.length += 1;
            let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            self.line.push(if c.is_control() || turns { '?' } else { c });
        }
        Ok(())
    }
}
