//! The state of a pooled connection, for the detection of stale keep-alive connections and of
//! servers of another protocol.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU32, Ordering},
    },
    time::Duration,
};

use crate::failure::Detail;

/// The state of a connection, which distinguishes a stale connection from a server crash.
///
/// A connection updates it on every read and write. A connector adds a clone to the extras of
/// hyper-util's `Connected`, as `seawall::hyper_util::TrackReuse` does.
/// [`classify_error`](crate::classify::classify_error) reads it.
///
/// The argument `age` is the time since the connection opened, by any clock. Times above 49 days
/// count as 49 days.
#[derive(Clone, Debug, Default)]
pub struct ConnectionUse(Arc<Use>);

#[derive(Debug, Default)]
struct Use {
    state: AtomicU8,
    /// The protocol of the server, if its first bytes are not an HTTP response.
    server: AtomicU8,
    /// The age at the last read, in milliseconds.
    last_read: AtomicU32,
    /// The time between the last read and the write after it, in milliseconds.
    idle: AtomicU32,
}

/// Nothing was received or written yet.
const OPENED: u8 = 0;
/// Bytes were written, and none received yet.
const FRESH: u8 = 1;
/// Bytes were received since the last write.
const RECEIVED: u8 = 2;
/// Bytes were received, but none since the last write.
const REUSED: u8 = 3;
/// The connection uses HTTP/2, where received bytes may belong to no response.
const HTTP2: u8 = 4;

const SPOKE_FIRST: u8 = 1;
const SPEAKS_TLS: u8 = 2;
const SPEAKS_HTTP2: u8 = 3;

/// The beginning of the HTTP/2 connection preface (RFC 9113 §3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// The minimum idle time that an idle timeout explains. Among common servers, gunicorn has the
/// shortest timeout: 2 s by default (gunicorn 23, `keepalive`). Some are set to a second.
const MIN_STALE_IDLE: Duration = Duration::from_secs(1);

impl ConnectionUse {
    /// Returns whether the connection was used before, was then idle for at least a second, and no
    /// byte of a response was received since.
    ///
    /// The rule of Go's `net/http` (`shouldRetryRequest`), except for the idle time: a shorter one
    /// does not come from an idle timeout of the server.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.state() == REUSED && self.idle().is_some_and(|idle| idle >= MIN_STALE_IDLE)
    }

    /// Returns whether bytes were received on the connection at any time.
    #[must_use]
    pub fn is_reused(&self) -> bool {
        matches!(self.state(), RECEIVED | REUSED)
    }

    /// Returns the time that the connection was idle before the last request; `None` for the first.
    #[must_use]
    pub fn idle(&self) -> Option<Duration> {
        let idle = || Duration::from_millis(self.0.idle.load(Ordering::Relaxed).into());
        self.is_reused().then(idle)
    }

    /// Returns the age at the last read, in whole milliseconds. `None` if nothing was received, or
    /// only in the first millisecond.
    #[must_use]
    pub fn last_read(&self) -> Option<Duration> {
        match self.0.last_read.load(Ordering::Relaxed) {
            0 => None,
            millis => Some(Duration::from_millis(millis.into())),
        }
    }

    /// Returns the protocol of the server by its first bytes. `None` if they are the response to a
    /// request by HTTP/1.1.
    #[must_use]
    pub fn server(&self) -> Option<Detail> {
        match self.0.server.load(Ordering::Relaxed) {
            SPOKE_FIRST => Some(Detail::ServerSpokeFirst),
            SPEAKS_TLS => Some(Detail::ServerSpeaksTls),
            SPEAKS_HTTP2 => Some(Detail::ServerSpeaksHttp2),
            _ => None,
        }
    }

    /// Records that `bytes` were received.
    pub fn on_read(&self, bytes: &[u8], age: Duration) {
        let state = self.state();
        if state == HTTP2 {
            return;
        }
        if state == OPENED || state == FRESH {
            self.0.server.store(server(bytes, state == FRESH), Ordering::Relaxed);
        }
        self.on_more(age);
        if state != RECEIVED {
            self.0.state.store(RECEIVED, Ordering::Relaxed);
        }
    }

    /// Records that more bytes were received while the connection [is settled](Self::is_settled).
    pub fn on_more(&self, age: Duration) {
        self.0.last_read.store(millis(age), Ordering::Relaxed);
    }

    /// Records that `bytes` were written.
    pub fn on_write(&self, bytes: &[u8], age: impl FnOnce() -> Duration) {
        match self.state() {
            // The frame SETTINGS of the server may come before.
            OPENED | RECEIVED if bytes.starts_with(HTTP2_PREFACE) => {
                self.0.server.store(0, Ordering::Relaxed);
                self.0.state.store(HTTP2, Ordering::Relaxed);
            }
            OPENED => self.0.state.store(FRESH, Ordering::Relaxed),
            RECEIVED => {
                let idle = millis(age()).saturating_sub(self.0.last_read.load(Ordering::Relaxed));
                self.0.idle.store(idle, Ordering::Relaxed);
                self.0.state.store(REUSED, Ordering::Relaxed);
            }
            _ => {}
        }
    }

    /// Returns whether a read cannot change the state.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self.state(), RECEIVED | HTTP2)
    }

    /// The task of the connection alone changes the state.
    fn state(&self) -> u8 {
        self.0.state.load(Ordering::Relaxed)
    }
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

/// Returns the protocol of a server by its first bytes.
fn server(bytes: &[u8], is_response: bool) -> u8 {
    match bytes {
        // A TLS record: an alert about a request that is not TLS (RFC 8446 §5.1 and §6).
        [0x15, 0x03, ..] => SPEAKS_TLS,
        // A frame SETTINGS, the first of every HTTP/2 server (RFC 9113 §3.4 and §6.5), or GOAWAY.
        [0, _, _, 0x04 | 0x07, _, 0, 0, 0, 0, ..] => SPEAKS_HTTP2,
        _ if !is_response => SPOKE_FIRST,
        _ => 0,
    }
}
