//! Escapes untrusted text for logs and other outputs of one line.

use std::fmt::{self, Write};

/// The maximum length of untrusted text in a message or a short field, in characters.
pub(crate) const MAX_SHORT_CHARS: usize = 256;
/// The maximum length of untrusted text in a long field, in characters.
pub(crate) const MAX_LONG_CHARS: usize = 2_048;

/// Untrusted text, such as an error message, escaped for a log and truncated at a number of
/// characters.
///
/// [`needs_escape`] selects the characters that are escaped. An escape counts as one character.
#[derive(Debug)]
pub(crate) struct Escaped<T>(pub(crate) T, pub(crate) usize);

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = EscapeWriter { out: f, remaining: self.1, is_truncated: false };
        match write!(writer, "{}", self.0) {
            // The writer returned this error to stop at the limit. The formatter itself did not
            // fail.
            Err(_) if writer.is_truncated => f.write_str("…"),
            result => result,
        }
    }
}

/// A `str` with the same output as [`Escaped`]. Usually it is written unchanged in one call.
#[derive(Debug)]
pub(crate) struct EscapedStr<'a>(pub(crate) &'a str, pub(crate) usize);

impl fmt::Display for EscapedStr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() <= self.1 && is_plain(self.0) {
            f.write_str(self.0)
        } else {
            Escaped(self.0, self.1).fmt(f)
        }
    }
}

/// Returns whether the text is printable ASCII, which needs no escape.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Returns whether a character must be escaped.
///
/// Such a character may start a line, control a terminal, change the text direction, be invisible,
/// or look like the space between two fields.
pub(crate) fn needs_escape(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || is_ignorable(c)
        // The blank Braille pattern, which Unicode does not count as white space, and the
        // interlinear annotation characters.
        || matches!(c, '\u{2800}' | '\u{fff9}'..='\u{fffb}')
}

/// Returns whether a character is a `Default_Ignorable_Code_Point` of Unicode. These include the
/// characters that change the text direction:
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

/// Escapes text, and returns an error when the limit is reached.
struct EscapeWriter<'a, 'b> {
    out: &'a mut fmt::Formatter<'b>,
    /// The number of characters that may still be written.
    remaining: usize,
    is_truncated: bool,
}

impl Write for EscapeWriter<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() <= self.remaining && is_plain(text) {
            self.remaining -= text.len();
            return self.out.write_str(text);
        }
        for c in text.chars() {
            if self.remaining == 0 {
                self.is_truncated = true;
                return Err(fmt::Error);
            }
            self.remaining -= 1;
            if needs_escape(c) {
                write!(self.out, "{}", c.escape_unicode())?;
            } else {
                self.out.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// Untrusted bytes as text. Invalid UTF-8 becomes U+FFFD.
#[derive(Debug)]
pub(crate) struct Lossy<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Lossy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.0))
    }
}

/// Returns untrusted bytes as text, escaped and truncated at `max_chars`.
pub(crate) fn escape_bytes(bytes: &[u8], max_chars: usize) -> String {
    Escaped(Lossy(bytes), max_chars).to_string()
}
