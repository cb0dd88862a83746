use std::fmt;

use http::Uri;

use super::{escape::Escaped, layer::Side};

/// What a request is for, as it may stand in a log: a client's URL without user information and query, a server's
/// path.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) uri: &'a Uri,
    pub(super) side: Side,
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.side == Side::Client {
            if let Some(scheme) = self.uri.scheme_str() {
                write!(f, "{scheme}://")?;
            }
            // Host and port only: an authority may begin with a user's name and password.
            f.write_str(self.uri.host().unwrap_or_default())?;
            if let Some(port) = self.uri.port() {
                write!(f, ":{port}")?;
            }
        }
        Escaped(self.uri.path()).fmt(f)
    }
}
