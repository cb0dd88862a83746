use std::{error::Error, fmt, io, sync::Arc};

/// A connection that failed.
#[derive(Clone, Debug)]
pub(crate) struct Broken(Arc<io::Error>);

impl Broken {
    pub(super) fn new(kind: io::ErrorKind) -> Self {
        Self(Arc::new(kind.into()))
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request failed")
    }
}

impl Error for Broken {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}
