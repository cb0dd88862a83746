//! A reason for which the clients cannot be created.

use std::fmt;

/// A one-line message for the operator. It contains no value of an environment variable.
#[derive(Debug)]
pub(crate) struct SetupError(pub(super) String);

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
