use std::fmt::{self, Write};

/// The longest text of a peer in a message or a short field, in characters.
pub(super) const MAX_SHORT_CHARS: usize = 256;
/// The longest text of a peer in a field that may be long, in characters.
pub(super) const MAX_LONG_CHARS: usize = 2_048;

/// A text from elsewhere, such as an error's, as it may stand in a log: what is [hidden](needs_escape) escaped, and cut after
/// so many characters. An escape counts as the one that it stands for.
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

/// Whether a character may begin a line, speak to a terminal, turn the direction of what follows, pass unseen, or look
/// like the space between two fields.
fn needs_escape(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || is_ignorable(c)
        // The empty pattern of Braille, which is no white space; and what encloses annotations.
        || matches!(c, '\u{2800}' | '\u{fff9}'..='\u{fffb}')
}

/// Unicode's `Default_Ignorable_Code_Point`, which has what turns the direction of a text too:
/// <https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt>
fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
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
            if needs_escape(c) {
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

/// The same, escaped and cut.
pub(super) fn text(bytes: &[u8], limit: usize) -> String {
    Escaped(Lossy(bytes), limit).to_string()
}
