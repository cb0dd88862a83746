use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

/// Why a configuration is none: one line, which says where, which key, and what was expected there.
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
///      expected a time with its unit such as \"250ms\" or \"10s\", 1ms or more, or \"off\"",
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

/// More is no line any more. What was written in a file may be long.
const LONGEST: usize = 600;

impl ConfigError {
    pub(super) fn new(reason: &str) -> Self {
        let reason = one_line(reason);
        Self { file: None, line: None, key: None, reason, io: None }
    }

    pub(super) fn unreadable(error: &io::Error) -> Self {
        let io = Some(error.kind());
        Self { io, ..Self::new(&format!("cannot be read: {error}")) }
    }

    pub(super) fn on(self, line: Option<usize>) -> Self {
        Self { line, ..self }
    }

    pub(super) fn key_is(self, key: &str) -> Self {
        Self { key: Some(one_line(key)).filter(|key| !key.is_empty()), ..self }
    }

    pub(super) fn of(self, file: &Path) -> Self {
        Self { file: Some(file.to_owned()), ..self }
    }

    /// The file; `None` if it was no file.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The line, counted from 1; `None` if it is about the whole.
    #[must_use]
    pub const fn line(&self) -> Option<usize> {
        self.line
    }

    /// The key, with those above it: `route[0].retry.total` is of the first route. `None` if it is about the whole, or about
    /// what is no TOML; of one that is there twice, only as it is written.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// What is wrong there, and what was expected: a line for people.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Why the file could not be read, if that is the reason.
    #[must_use]
    pub const fn io(&self) -> Option<io::ErrorKind> {
        self.io
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => {
                write!(f, "{}:{line}: ", one_line(&file.to_string_lossy()))?;
            }
            (Some(file), None) => write!(f, "{}: ", one_line(&file.to_string_lossy()))?,
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

/// What may have come from a file, as one line of a log.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for part in text.trim().chars() {
        if line.len() >= LONGEST {
            line.push('…');
            break;
        }
        if part.is_control() {
            line.extend(part.escape_default());
        } else {
            line.push(part);
        }
    }
    line
}
