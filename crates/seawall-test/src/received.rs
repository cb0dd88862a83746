use std::{sync::Arc, time::Duration};

use http::{Extensions, HeaderMap, Method, Uri, request::Parts};

/// The rest of a request's body is counted, but not stored.
pub(crate) const MAX_BODY_BYTES: usize = 64 << 10;

/// A request that an upstream received.
#[derive(Clone, Debug)]
pub struct ReceivedRequest {
    // UpstreamState, so that a clone is cheap and runs no code of the extensions.
    parts: Arc<Parts>,
    at: Duration,
    body: Vec<u8>,
    body_len: u64,
    whole: bool,
}

impl ReceivedRequest {
    pub(crate) fn new(parts: Parts, at: Duration) -> Self {
        Self { parts: Arc::new(parts), at, body: Vec::new(), body_len: 0, whole: false }
    }

    pub(crate) fn add(&mut self, data: &[u8]) {
        let room = MAX_BODY_BYTES - self.body.len();
        self.body.extend_from_slice(&data[..data.len().min(room)]);
        self.body_len = self.body_len.saturating_add(data.len() as u64);
    }

    pub(crate) const fn end(&mut self) {
        self.whole = true;
    }

    /// Returns the time from the creation of the upstream to the request, on tokio's clock.
    #[must_use]
    pub const fn at(&self) -> Duration {
        self.at
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// Returns the URI as it was sent: on a socket mostly the path and the query alone.
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

    /// Returns the first value of a header; `None` without one, or if it is not visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// Returns the extensions, such as [`AttemptNumber`](seawall_core::attempts::AttemptNumber). None on a socket.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.parts.extensions
    }

    /// Returns the first 64 KiB of the body, without chunk framing.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the number of received bytes of the body, stored or not.
    #[must_use]
    pub const fn body_len(&self) -> u64 {
        self.body_len
    }

    /// Returns whether the body was received to its end.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.whole
    }
}
