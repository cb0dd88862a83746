//! The last use of a pooled connection.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

/// The last use of a connection, which distinguishes a stale keep-alive from a crash of the server.
///
/// A connection updates it at every read and write, and a connector adds a clone to the extras of hyper-util's `Connected`, as
/// `seawall::hyper_util::TrackReuse` does. [`classify_error`](crate::classify::classify_error) reads it.
#[derive(Clone, Debug, Default)]
pub struct ConnectionUse(Arc<AtomicU8>);

/// No bytes were received yet.
const FRESH: u8 = 0;
/// Bytes were received since the last write.
const ANSWERED: u8 = 1;
/// Bytes were received earlier, and none since the last write.
const REUSED: u8 = 2;
/// The connection speaks HTTP/2, where received bytes need not be a response.
const HTTP2: u8 = 3;

/// The beginning of the HTTP/2 connection preface (RFC 9113 §3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0";

impl ConnectionUse {
    /// Returns whether the connection was used before and no byte of a response was received: the rule of Go's `net/http`
    /// (`shouldRetryRequest`).
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.0.load(Ordering::Relaxed) == REUSED
    }

    /// Returns whether bytes were received on the connection before.
    #[must_use]
    pub fn is_reused(&self) -> bool {
        matches!(self.0.load(Ordering::Relaxed), ANSWERED | REUSED)
    }

    /// Records that bytes were received.
    pub fn on_read(&self) {
        if self.0.load(Ordering::Relaxed) != HTTP2 {
            self.0.store(ANSWERED, Ordering::Relaxed);
        }
    }

    /// Records that `bytes` were written.
    pub fn on_write(&self, bytes: &[u8]) {
        let is_http2 = bytes.starts_with(HTTP2_PREFACE);
        let (from, next) = if is_http2 { (FRESH, HTTP2) } else { (ANSWERED, REUSED) };
        let _ = self.0.compare_exchange(from, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Returns whether reading more bytes cannot change the state.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self.0.load(Ordering::Relaxed), ANSWERED | HTTP2)
    }
}
