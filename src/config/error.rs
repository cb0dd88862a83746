use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

use crate::{
    escape::needs_escape,
    redact::{Redaction, redact_text},
};

/// An error in a configuration.
///
/// Displays as one line with the file, the line, the key and the expected value.
///
/// ```
/// use seawall::config::Config;
///
/// let error = Config::from_toml("[default.timeouts]\nattempt = 10").unwrap_err();
/// assert_eq!(error.key(), Some("default.timeouts.attempt"));
/// assert_eq!(error.line(), Some(2));
/// assert_eq!(
///     error.to_string(),
///     "line 2: default.timeouts.attempt: invalid value: integer `10`, \
///      expected a duration with a unit such as \"250ms\" or \"10s\", 1ms or more, or \"off\"",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    file: Option<PathBuf>,
    line: Option<usize>,
    key: Option<String>,
    reason: String,
    io: Option<io::ErrorKind>,
}

/// The maximum length of an error message, whose values come from a file.
const MAX_MESSAGE_BYTES: usize = 600;

impl ConfigError {
    pub(super) fn new(reason: &str) -> Self {
        let reason = escape_line(&redact_text(&reason, &Redaction::built_in()));
        Self { file: None, line: None, key: None, reason, io: None }
    }

    pub(super) fn unreadable(error: &io::Error) -> Self {
        let io = Some(error.kind());
        Self { io, ..Self::new(&format!("cannot be read: {error}")) }
    }

    pub(super) fn with_line(self, line: Option<usize>) -> Self {
        Self { line, ..self }
    }

    pub(super) fn with_key(self, key: &str) -> Self {
        let key = redact_text(&key, &Redaction::built_in());
        Self { key: Some(escape_line(&key)).filter(|key| !key.is_empty()), ..self }
    }

    pub(super) fn with_file(self, file: &Path) -> Self {
        Self { file: Some(file.to_owned()), ..self }
    }

    /// Returns the file, or `None` if the configuration was not read from a file.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Returns the line, counted from 1, or `None` if the error is not about one line.
    #[must_use]
    pub const fn line(&self) -> Option<usize> {
        self.line
    }

    /// Returns the full key, such as `route[0].retry.total` for the first route.
    ///
    /// Returns `None` if the error is about the whole file or about invalid TOML. A duplicate key
    /// is returned as written, without its parents.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Returns the message without location: the invalid value and the expected one.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns the kind of the I/O error if the file could not be read.
    #[must_use]
    pub const fn io(&self) -> Option<io::ErrorKind> {
        self.io
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => {
                write!(f, "{}:{line}: ", escape_line(&file.to_string_lossy()))?;
            }
            (Some(file), None) => write!(f, "{}: ", escape_line(&file.to_string_lossy()))?,
            (None, Some(line)) => write!(f, "line {line}: ")?,
            (None, None) => {}
        }
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl Error for ConfigError {}

/// Escapes characters that could change the line or the text direction, and truncates the text to
/// one line of a log.
fn escape_line(text: &str) -> String {
    let mut line = String::new();
    for character in text.trim().chars() {
        if line.len() >= MAX_MESSAGE_BYTES {
            line.push('…');
            break;
        }
        if needs_escape(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}
