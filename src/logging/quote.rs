//! Text quoted for a shell.

use std::fmt::{self, Write};

/// Bytes quoted as one word, or a part of one, for bash and zsh.
#[derive(Debug)]
pub(super) struct Quoted<'a>(pub(super) &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = *self;
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:,+@".contains(byte);
        if !bytes.is_empty() && bytes.iter().all(is_plain) {
            return bytes.iter().try_for_each(|&byte| f.write_char(char::from(byte)));
        }
        // Bytes that a log must not contain need `$'…'`, the quotes that support escapes.
        let is_printable = bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
        f.write_str(if is_printable { "'" } else { "$'" })?;
        for &byte in bytes {
            match byte {
                b'\'' if is_printable => f.write_str(r"'\''")?,
                b'\'' | b'\\' if !is_printable => write!(f, "\\{}", char::from(byte))?,
                b' '..=b'~' => f.write_char(char::from(byte))?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        f.write_str("'")
    }
}

/// The maximum length of the name after the prefix.
const MAX_NAME_CHARS: usize = 48;

/// A shell variable with a prefix and a name from the request. Other characters become `_`.
#[derive(Debug)]
pub(super) struct Variable<'a>(pub(super) &'a str, pub(super) &'a str);

impl fmt::Display for Variable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(prefix, name) = self;
        write!(f, "\"${{{prefix}")?;
        for c in name.chars().take(MAX_NAME_CHARS) {
            f.write_char(if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })?;
        }
        f.write_str("}\"")
    }
}
