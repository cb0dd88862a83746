//! The settings of a layer, shared by all of its services.

use http::StatusCode;

use crate::redact::Redaction;

/// The maximum length of a server name, equal to that of a host name.
const MAX_NAME_CHARS: usize = 255;

#[derive(Clone, Debug)]
pub(super) struct Settings {
    name: String,
    pub(super) include_error_text: bool,
    pub(super) append_proxy_status: bool,
    pub(super) redaction: Redaction,
}

impl Settings {
    pub(super) fn new(name: &str) -> Self {
        let printable = |c| if matches!(c, ' '..='~') { c } else { '?' };
        let name = name.chars().take(MAX_NAME_CHARS).map(printable).collect();
        Self {
            name,
            include_error_text: false,
            append_proxy_status: false,
            redaction: Redaction::default(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether this server's member is appended to a response of the inner service.
    ///
    /// Every 4xx except 429 is an error of the caller, so no member is appended to it.
    pub(super) fn should_append_to(&self, status: StatusCode) -> bool {
        self.append_proxy_status
            && (status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS)
    }
}
