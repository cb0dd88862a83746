use std::fmt;

use http::{HeaderMap, HeaderName};

use crate::escape::Lossy;

/// The selected headers of a message, formatted as `name: value` and separated by semicolons.
///
/// Values marked as sensitive are omitted.
#[derive(Debug)]
pub(super) struct SelectedHeaders<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) names: &'a [HeaderName],
}

impl fmt::Display for SelectedHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for name in self.names {
            for value in self.headers.get_all(name).iter().filter(|value| !value.is_sensitive()) {
                write!(f, "{separator}{name}: {}", Lossy(value.as_bytes()))?;
                separator = "; ";
            }
        }
        Ok(())
    }
}
