//! Errors that end the program.

use std::fmt;

use crate::config::ConfigError;

/// A one-line message and its exit code.
pub(crate) enum ExitError {
    /// The arguments or the configuration are invalid. Exit code 2.
    Usage(String),
    /// The run failed. Exit code 1.
    Failure(String),
}

impl ExitError {
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failure(_) => 1,
        }
    }
}

impl From<ConfigError> for ExitError {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl fmt::Display for ExitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Usage(message) | Self::Failure(message)) = self;
        f.write_str(message)
    }
}
