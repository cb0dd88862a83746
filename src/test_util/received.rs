use std::{sync::Arc, time::Duration};

use http::{Extensions, HeaderMap, Method, Uri, request::Parts};

/// How many bytes of a request's body are kept.
pub(super) const BODY_KEPT: usize = 64 << 10;

/// A request that an upstream received.
#[derive(Clone, Debug)]
pub struct ReceivedRequest {
    // So that a copy is cheap, and runs none of the extensions' own code.
    parts: Arc<Parts>,
    at: Duration,
    body: Vec<u8>,
    body_len: u64,
    whole: bool,
}

impl ReceivedRequest {
    pub(super) fn new(parts: Parts, at: Duration) -> Self {
        Self { parts: Arc::new(parts), at, body: Vec::new(), body_len: 0, whole: false }
    }

    pub(super) fn add(&mut self, data: &[u8]) {
        let room = BODY_KEPT - self.body.len();
        self.body.extend_from_slice(&data[..data.len().min(room)]);
        self.body_len = self.body_len.saturating_add(data.len() as u64);
    }

    pub(super) const fn end(&mut self) {
        self.whole = true;
    }

    /// When it came, on tokio's clock: so long after the upstream was made.
    #[must_use]
    pub const fn at(&self) -> Duration {
        self.at
    }

    /// Its method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// Its URI, as it came: on a socket mostly the path and the query alone.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.parts.uri
    }

    /// The path of its URI.
    #[must_use]
    pub fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// Its headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The first value of a header; `None` without one, or if it is not visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// Its extensions: what layers tell the client, such as [`AttemptNumber`](crate::retry::AttemptNumber). Empty on a socket.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.parts.extensions
    }

    /// Its body, without chunk framing: the first 64 KiB of it.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// How many bytes of its body have come, kept or not.
    #[must_use]
    pub const fn body_len(&self) -> u64 {
        self.body_len
    }

    /// Whether its body has come to its end.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.whole
    }
}
