//! The state of a pooled connection, for the detection of stale keep-alive connections.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

/// The state of a connection, which distinguishes stale keep-alive from a server crash.
///
/// A connection updates it on every read and write. A connector adds a clone to the extras of
/// hyper-util's `Connected`, as `seawall::hyper_util::TrackReuse` does.
/// [`classify_error`](crate::classify::classify_error) reads it.
#[derive(Clone, Debug, Default)]
pub struct ConnectionUse(Arc<AtomicU8>);

/// No bytes were received yet.
const FRESH: u8 = 0;
/// Bytes were received since the last write.
const RECEIVED: u8 = 1;
/// Bytes were received, but none since the last write.
const REUSED: u8 = 2;
/// The connection uses HTTP/2, where received bytes may belong to no response.
const HTTP2: u8 = 3;

/// The beginning of the HTTP/2 connection preface (RFC 9113 §3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0";

impl ConnectionUse {
    /// Returns whether the connection was used before, and the current request received no byte of
    /// a response. Go's `net/http` has the same rule (`shouldRetryRequest`).
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.0.load(Ordering::Relaxed) == REUSED
    }

    /// Returns whether bytes were received on the connection at any time.
    #[must_use]
    pub fn is_reused(&self) -> bool {
        matches!(self.0.load(Ordering::Relaxed), RECEIVED | REUSED)
    }

    /// Records that bytes were received.
    pub fn on_read(&self) {
        if self.0.load(Ordering::Relaxed) != HTTP2 {
            self.0.store(RECEIVED, Ordering::Relaxed);
        }
    }

    /// Records that `bytes` were written.
    pub fn on_write(&self, bytes: &[u8]) {
        let is_http2 = bytes.starts_with(HTTP2_PREFACE);
        let (expected, next) = if is_http2 { (FRESH, HTTP2) } else { (RECEIVED, REUSED) };
        let _ = self.0.compare_exchange(expected, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Returns whether a read cannot change the state.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self.0.load(Ordering::Relaxed), RECEIVED | HTTP2)
    }
}
