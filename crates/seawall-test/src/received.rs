use std::{sync::Arc, time::Duration};

use http::{Extensions, HeaderMap, Method, Uri, request::Parts};

/// The maximum size of a stored request body. The rest is counted, but not stored.
pub(crate) const MAX_BODY_BYTES: usize = 64 << 10;

/// A request that an upstream received.
#[derive(Clone, Debug)]
pub struct ReceivedRequest {
    // Shared, so that a clone is cheap and does not clone the extensions.
    parts: Arc<Parts>,
    time_since_start: Duration,
    body: Vec<u8>,
    body_len: u64,
    is_body_complete: bool,
}

impl ReceivedRequest {
    pub(crate) fn new(parts: Parts, time_since_start: Duration) -> Self {
        Self {
            parts: Arc::new(parts),
            time_since_start,
            body: Vec::new(),
            body_len: 0,
            is_body_complete: false,
        }
    }

    pub(crate) fn push_body(&mut self, data: &[u8]) {
        let room = MAX_BODY_BYTES - self.body.len();
        self.body.extend_from_slice(&data[..data.len().min(room)]);
        self.body_len = self.body_len.saturating_add(data.len() as u64);
    }

    pub(crate) const fn end_body(&mut self) {
        self.is_body_complete = true;
    }

    /// Returns the time from the creation of the upstream to the request, on tokio's clock.
    #[must_use]
    pub const fn time_since_start(&self) -> Duration {
        self.time_since_start
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// Returns the URI as it was sent. On a socket, it usually consists of the path and the query.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.parts.uri
    }

    /// Returns the path of the URI.
    #[must_use]
    pub fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// Returns the headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// Returns the first value of a header, or `None` if it is missing or not visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// Returns the extensions, such as [`AttemptNumber`](seawall_core::attempts::AttemptNumber).
    /// They are empty on a socket.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.parts.extensions
    }

    /// Returns the first 64 KiB of the body, without chunk framing.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the number of received bytes of the body, including those that are not stored.
    #[must_use]
    pub const fn body_len(&self) -> u64 {
        self.body_len
    }

    /// Returns whether the body was received to its end.
    #[must_use]
    pub const fn is_body_complete(&self) -> bool {
        self.is_body_complete
    }
}
