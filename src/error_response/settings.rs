//! What a layer was told, shared by all services it makes.

use http::StatusCode;

/// The longest name that is told, in characters: as long as a host name may be.
const LONGEST_NAME: usize = 255;

#[derive(Clone, Debug)]
pub(super) struct Settings {
    name: String,
    pub(super) disclose: bool,
    pub(super) append: bool,
}

impl Settings {
    pub(super) fn new(name: &str) -> Self {
        let printable = |c| if matches!(c, ' '..='~') { c } else { '?' };
        let name = name.chars().take(LONGEST_NAME).map(printable).collect();
        Self { name, disclose: false, append: false }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether a response that passes gets a member of ours: where somebody will ask which server it was that failed.
    /// Any other 4xx is the caller's own affair, and the origin's answer to it.
    pub(super) fn appends_to(&self, status: StatusCode) -> bool {
        self.append && (status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS)
    }
}
