use std::fmt::{self, Write};

/// How much of a text from elsewhere is written.
const LONGEST: usize = 256;

/// A text from elsewhere, such as an error's, as it may stand in a log: control characters escaped, so that none can
/// begin a line of its own or speak to a terminal, and cut at 256 characters.
#[derive(Debug)]
pub(super) struct Escaped<T>(pub(super) T);

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut escape = Escape { out: f, left: LONGEST };
        // The error that says "long enough" is not one of the formatter's.
        match write!(escape, "{}", self.0) {
            Err(_) if escape.left == 0 => f.write_str("…"),
            result => result,
        }
    }
}

struct Escape<'a, 'b> {
    out: &'a mut fmt::Formatter<'b>,
    left: usize,
}

impl Write for Escape<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            // U+2028 and U+2029 end lines; U+200E.. and U+202A.. turn the direction of what follows.
            let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if c.is_control() || turns {
                write!(self.out, "{}", c.escape_unicode())?;
            } else {
                self.out.write_char(c)?;
            }
        }
        Ok(())
    }
}
