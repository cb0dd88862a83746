use std::time::Duration;

use http::{Response, response::Parts};
use http_body::Body;
use seawall_core::{Failure, internal::is_plain_text};

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) enabled: bool,
    /// The maximum number of inspected bytes of a body.
    pub(super) max_peek_bytes: usize,
    pub(super) peek_timeout: Duration,
}

impl Settings {
    /// Returns whether to inspect a response. A failure from an inner layer takes precedence.
    pub(super) fn inspects<B>(self, response: &Response<B>) -> bool {
        self.enabled
            && response.status().as_u16() >= 400
            && response.extensions().get::<Failure>().is_none()
    }

    /// Returns whether to inspect the body. Gateways send their own pages with 429 or 5xx, as
    /// uncompressed text.
    pub(super) fn inspects_body(self, head: &Parts, body: &impl Body) -> bool {
        let status = head.status.as_u16();
        self.max_peek_bytes > 0
            && !body.is_end_stream()
            && (status == 429 || status >= 500)
            && is_plain_text(&head.headers)
    }
}
