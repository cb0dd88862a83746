//! What happens on a connection, for its time limits.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use tokio::time::Instant;

use super::connection_info::ConnectionInfo;

const NEVER: u64 = u64::MAX;

/// The state of a connection.
///
/// The connection's task reads and writes it. Bodies that other tasks hold write it too.
///
/// Times are milliseconds since the start.
pub(super) struct Activity {
    start: Instant,
    http2: AtomicBool,
    /// The number of requests whose request or response body is not dropped yet.
    in_flight: AtomicUsize,
    idle_since: AtomicU64,
    head_since: AtomicU64,
    send_blocked_since: AtomicU64,
    /// The number of HTTP/2 responses with data that waits for the caller's window.
    waiting_responses: AtomicUsize,
    /// The time at which the last of them began or ended to wait.
    window_moved_at: AtomicU64,
}

/// A copy of the state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Snapshot {
    pub(super) http2: bool,
    pub(super) in_flight: bool,
    /// The time since which no request is in flight.
    pub(super) idle_since: Instant,
    /// The time of the first byte of an incomplete request head.
    pub(super) head_since: Option<Instant>,
    /// The time since which the caller accepts no bytes, of the connection or of any response.
    pub(super) send_blocked_since: Option<Instant>,
}

impl Activity {
    /// Creates the state of a new connection, which waits for its first request head.
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            http2: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            idle_since: AtomicU64::new(0),
            head_since: AtomicU64::new(0),
            send_blocked_since: AtomicU64::new(NEVER),
            waiting_responses: AtomicUsize::new(0),
            window_moved_at: AtomicU64::new(NEVER),
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let instant = |millis: &AtomicU64| {
            let millis = millis.load(Ordering::Acquire);
            (millis != NEVER).then(|| self.start + Duration::from_millis(millis))
        };
        // Comes before `window_moved_at`, which is set before the count changes.
        let waits_for_window = self.waiting_responses.load(Ordering::Acquire) > 0;
        let closed_since = instant(&self.window_moved_at).filter(|_| waits_for_window);
        Snapshot {
            http2: self.http2.load(Ordering::Acquire),
            // Comes before `idle_since`, which is set before the count becomes 0.
            in_flight: self.in_flight.load(Ordering::Acquire) > 0,
            idle_since: instant(&self.idle_since).unwrap_or(self.start),
            head_since: instant(&self.head_since),
            send_blocked_since: instant(&self.send_blocked_since).or(closed_since),
        }
    }

    pub(super) fn set_http2(&self) {
        self.http2.store(true, Ordering::Release);
    }

    /// Records received bytes.
    pub(super) fn record_received(&self) {
        let between_requests = self.in_flight.load(Ordering::Acquire) == 0;
        if between_requests && self.head_since.load(Ordering::Acquire) == NEVER {
            self.head_since.store(self.now(), Ordering::Release);
        }
    }

    /// Records that the caller accepts no bytes.
    pub(super) fn record_send_blocked(&self) {
        if self.send_blocked_since.load(Ordering::Acquire) == NEVER {
            self.send_blocked_since.store(self.now(), Ordering::Release);
        }
    }

    /// Records that the caller accepts bytes again.
    pub(super) fn record_sent(&self) {
        if self.send_blocked_since.load(Ordering::Acquire) != NEVER {
            self.send_blocked_since.store(NEVER, Ordering::Release);
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }
}

/// Counts a request as in flight until it is dropped.
pub(super) struct InFlight(ConnectionInfo);

impl InFlight {
    /// Records a complete request head.
    pub(super) fn new(connection: ConnectionInfo) -> Self {
        let activity = connection.activity();
        activity.in_flight.fetch_add(1, Ordering::AcqRel);
        activity.head_since.store(NEVER, Ordering::Release);
        Self(connection)
    }
}

impl InFlight {
    /// Records that data of the response was handed over, until the result is dropped.
    ///
    /// hyper takes the next data when the caller's window has space. Over HTTP/1.1, a write to the
    /// connection is pending instead.
    pub(super) fn wait_for_window(&self) -> Option<WaitForWindow> {
        let is_http2 = self.0.activity().http2.load(Ordering::Acquire);
        is_http2.then(|| WaitForWindow::new(self.0.clone()))
    }
}

/// A response whose data waits for the caller's HTTP/2 window, until it is dropped.
pub(super) struct WaitForWindow(ConnectionInfo);

impl WaitForWindow {
    fn new(connection: ConnectionInfo) -> Self {
        let activity = connection.activity();
        activity.window_moved_at.store(activity.now(), Ordering::Release);
        activity.waiting_responses.fetch_add(1, Ordering::AcqRel);
        Self(connection)
    }
}

impl Drop for WaitForWindow {
    fn drop(&mut self) {
        let activity = self.0.activity();
        activity.window_moved_at.store(activity.now(), Ordering::Release);
        activity.waiting_responses.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Clone for InFlight {
    fn clone(&self) -> Self {
        self.0.activity().in_flight.fetch_add(1, Ordering::AcqRel);
        Self(self.0.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let activity = self.0.activity();
        activity.idle_since.store(activity.now(), Ordering::Release);
        activity.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}
