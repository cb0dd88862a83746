//! The error of a failed connection.

use std::{error::Error, fmt, io, sync::Arc};

#[derive(Clone, Debug)]
pub(crate) struct ConnectionError(Arc<io::Error>);

impl ConnectionError {
    pub(super) fn new(kind: io::ErrorKind) -> Self {
        Self(Arc::new(kind.into()))
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request failed")
    }
}

impl Error for ConnectionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}
