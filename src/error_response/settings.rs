//! The settings of a layer, shared by all services it makes.

use http::StatusCode;

/// The maximum length of a name: that of a host name.
const MAX_NAME_CHARS: usize = 255;

#[derive(Clone, Debug)]
pub(super) struct Settings {
    name: String,
    pub(super) include_error_text: bool,
    pub(super) append: bool,
}

impl Settings {
    pub(super) fn new(name: &str) -> Self {
        let printable = |c| if matches!(c, ' '..='~') { c } else { '?' };
        let name = name.chars().take(MAX_NAME_CHARS).map(printable).collect();
        Self { name, include_error_text: false, append: false }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether a passing response gets a member of this server, to show which server failed. Any 4xx but 429 is an
    /// answer to the caller and does not.
    pub(super) fn appends_to(&self, status: StatusCode) -> bool {
        self.append && (status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS)
    }
}
