use std::fmt::{self, Write};

/// How much of a text from elsewhere is written into the line for a person, in characters.
pub(super) const SHORT: usize = 256;
/// How much of one is written into a field of its own.
pub(super) const LONG: usize = 2_048;

/// A text from elsewhere, such as an error's, as it may stand in a log: control characters escaped, so that none can
/// begin a line of its own or speak to a terminal, and cut after so many characters.
#[derive(Debug)]
pub(super) struct Escaped<T>(pub(super) T, pub(super) usize);

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut escape = Escape { out: f, left: self.1, cut: false };
        // The error that says "long enough" is not one of the formatter's.
        match write!(escape, "{}", self.0) {
            Err(_) if escape.cut => f.write_str("…"),
            result => result,
        }
    }
}

/// The same of a text that is at hand.
#[derive(Debug)]
pub(super) struct Text<'a>(pub(super) &'a str, pub(super) usize);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() <= self.1 && is_plain(self.0) {
            f.write_str(self.0)
        } else {
            Escaped(self.0, self.1).fmt(f)
        }
    }
}

/// Nearly all texts are.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

struct Escape<'a, 'b> {
    out: &'a mut fmt::Formatter<'b>,
    left: usize,
    cut: bool,
}

impl Write for Escape<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() <= self.left && is_plain(text) {
            self.left -= text.len();
            return self.out.write_str(text);
        }
        for c in text.chars() {
            if self.left == 0 {
                self.cut = true;
                return Err(fmt::Error);
            }
            self.left -= 1;
            // U+2028 and U+2029 end lines; U+200E.. and U+202A.. turn the direction of what follows.
            let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if c.is_control() || turns {
                write!(self.out, "{}", c.escape_unicode())?;
            } else {
                self.out.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// Bytes from elsewhere, as text: what is no UTF-8 becomes U+FFFD.
#[derive(Debug)]
pub(super) struct Lossy<'a>(pub(super) &'a [u8]);

impl fmt::Display for Lossy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.0))
    }
}
