//! The error of a reqwest client that is used as a service.

use std::{error, fmt};

/// An error of `seawall::reqwest::Client`. Its `source()` is the [`reqwest::Error`].
#[derive(Debug)]
pub struct Error {
    source: reqwest::Error,
    may_be_redirected: bool,
}

impl Error {
    /// Creates an error. `may_be_redirected` is whether the client follows redirects.
    #[must_use]
    pub const fn new(source: reqwest::Error, may_be_redirected: bool) -> Self {
        Self { source, may_be_redirected }
    }

    /// Returns whether the client follows redirects. If so, another server may have processed the
    /// request before the failure.
    #[must_use]
    pub const fn may_be_redirected(&self) -> bool {
        self.may_be_redirected
    }

    /// Returns the [`reqwest::Error`].
    #[must_use]
    pub fn into_inner(self) -> reqwest::Error {
        self.source
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("request failed")
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.source)
    }
}
