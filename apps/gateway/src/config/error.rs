//! An invalid configuration file, reported in one line.

use std::{fmt, ops::Range, path::Path};

const MAX_MESSAGE_CHARS: usize = 600;

/// The error message, which contains the file, the line, the key and the expected value.
#[derive(Debug)]
pub(crate) struct ConfigError(pub(crate) String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ConfigError {
    pub(super) fn from_toml(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        Self::at(path, text, error.span().unwrap_or_default(), error.message())
    }

    /// Creates an error at a position of the file.
    pub(super) fn at(path: &Path, text: &str, span: Range<usize>, message: &str) -> Self {
        let before = text.get(..span.start).unwrap_or_default();
        // The key is omitted for a multi-line value, whose span may start below the line of the
        // key.
        let key = before.rsplit('\n').next().and_then(|line| line.split_once('='));
        Self::at_key(path, text, span, key.map(|(key, _)| key.trim()), message)
    }

    /// Creates an error at a position of the file that names `key`.
    pub(super) fn at_key(
        path: &Path,
        text: &str,
        span: Range<usize>,
        key: Option<&str>,
        message: &str,
    ) -> Self {
        let before = text.get(..span.start).unwrap_or_default();
        let line = before.lines().count().max(1)
            + usize::from(before.ends_with('\n') && !before.is_empty());
        let key = key.map(|key| format!("{key}: ")).unwrap_or_default();
        let message: Vec<_> =
            message.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        Self(format!(
            "{}:{line}: {}",
            path.display(),
            escape_and_truncate(&format!("{key}{}", message.join(": ")))
        ))
    }
}

/// Escapes control characters and limits the length, because the text may come from the file.
fn escape_and_truncate(text: &str) -> String {
    let mut line = String::new();
    for c in text.chars().take(MAX_MESSAGE_CHARS) {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message_at(text: &str, span: Range<usize>) -> String {
        ConfigError::at(Path::new("f"), text, span, "no\n  good").0
    }

    #[test]
    fn error_names_line_and_key() {
        assert_eq!(message_at("", 0..0), "f:1: no: good");
        assert_eq!(message_at("a = 1", 0..1), "f:1: no: good");
        assert_eq!(message_at("a = 1", 4..5), "f:1: a: no: good");
        assert_eq!(message_at("x = 1\na = 1", 6..7), "f:2: no: good");
        assert_eq!(message_at("x = 1\n\na = 1", 11..12), "f:3: a: no: good");
        assert_eq!(message_at("a = 1", 99..100), "f:1: no: good");
        assert_eq!(message_at("\u{1b}[1m = 1", 7..8), "f:1: \\u{1b}[1m: no: good");
    }
}
