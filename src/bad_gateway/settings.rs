use std::time::Duration;

use http::{HeaderMap, Response, header::CONNECTION, response::Parts};
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

    /// Returns whether to inspect the body. Gateways send their own pages with 408, 429 or 5xx, as
    /// uncompressed text. With 400 they answer a request without TLS on a port of TLS, and close.
    pub(super) fn inspects_body(self, head: &Parts, body: &impl Body) -> bool {
        let status = head.status.as_u16();
        self.max_peek_bytes > 0
            && !body.is_end_stream()
            && (matches!(status, 408 | 429 | 500..) || (status == 400 && closes(&head.headers)))
            && is_plain_text(&head.headers)
    }
}
/// Returns whether the server closes the connection after this response. One in Go sends no header
/// then.
fn closes(headers: &HeaderMap) -> bool {
    headers.is_empty() || headers.get(CONNECTION).is_some_and(|value| value == "close")
}
