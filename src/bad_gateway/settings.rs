use std::time::Duration;

use http::{Response, response::Parts};
use http_body::Body;
use seawall_core::{failure::Failure, internal::is_plain_text};

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) on: bool,
    /// The maximum number of bytes of a body that are inspected.
    pub(super) peek: usize,
    pub(super) peek_timeout: Duration,
}

impl Settings {
    /// Returns whether a response is inspected. An inner layer that inserted a failure knows more.
    pub(super) fn inspects<B>(self, response: &Response<B>) -> bool {
        self.on
            && response.status().as_u16() >= 400
            && response.extensions().get::<Failure>().is_none()
    }

    /// Returns whether the body is inspected. A gateway's own body is text of a 429 or 5xx, and not compressed.
    pub(super) fn inspects_body(self, head: &Parts, body: &impl Body) -> bool {
        let status = head.status.as_u16();
        self.peek > 0
            && !body.is_end_stream()
            && (status == 429 || status >= 500)
            && is_plain_text(&head.headers)
    }
}
