//! Decides when a connection ends for its time limits.

use std::time::Duration;

use tokio::time::Instant;

use super::{activity::Snapshot, config::ServerConfig};

/// The largest part of the idle timeout that is taken off for a connection.
///
/// Otherwise, clients that were disconnected at once would reconnect at once forever.
const JITTER: f64 = 0.1;

/// The time limits of one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeLimits {
    head: Duration,
    idle: Duration,
    send: Duration,
}

/// The fate of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Stays open at least until this time.
    Open(Instant),
    /// Ends as soon as no request is in flight, with GOAWAY over HTTP/2.
    Close,
    /// Ends at once.
    Abort(&'static str),
}

impl TimeLimits {
    /// Returns the limits of a connection. `random` is in `[0, 1)`.
    pub(super) fn new(config: &ServerConfig, random: f64) -> Self {
        let ServerConfig { head_timeout, idle_timeout, send_timeout, .. } = *config;
        let idle = idle_timeout.mul_f64(1.0 - JITTER * random);
        Self { head: head_timeout, idle, send: send_timeout }
    }

    /// Checks the limits. `closing_since` is the time of an earlier [`Verdict::Close`].
    pub(super) fn check(
        &self,
        now: Instant,
        activity: &Snapshot,
        closing_since: Option<Instant>,
    ) -> Verdict {
        // State that begins after this check cannot expire earlier.
        let mut next_check = now + self.head.min(self.idle).min(self.send);
        let mut expired = |since: Option<Instant>, limit: Duration| {
            let deadline = since.map(|since| since + limit);
            next_check = next_check.min(deadline.unwrap_or(next_check));
            deadline.is_some_and(|deadline| deadline <= now)
        };
        if expired(activity.send_blocked_since, self.send) {
            return Verdict::Abort("send timeout");
        }
        if activity.in_flight {
            return Verdict::Open(next_check);
        }
        // Frames between HTTP/2 requests, such as PING, are no request head.
        if !activity.http2 && expired(activity.head_since, self.head) {
            return Verdict::Abort("head timeout");
        }
        if let Some(since) = closing_since {
            // The last bytes of a response get this time to reach the caller.
            if expired(Some(since.max(activity.idle_since)), self.idle) {
                return Verdict::Abort("idle timeout");
            }
        } else if expired(Some(activity.idle_since), self.idle) {
            return Verdict::Close;
        }
        Verdict::Open(next_check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Duration = Duration::from_secs(30);
    const IDLE: Duration = Duration::from_secs(75);
    const SEND: Duration = Duration::from_secs(60);

    // A millisecond less.
    const ALMOST_HEAD: Duration = Duration::from_millis(29_999);
    const ALMOST_IDLE: Duration = Duration::from_millis(74_999);
    const ALMOST_SEND: Duration = Duration::from_millis(59_999);

    fn limits() -> TimeLimits {
        TimeLimits::new(&ServerConfig::default(), 0.0)
    }

    fn idle(since: Instant) -> Snapshot {
        Snapshot {
            http2: false,
            in_flight: false,
            idle_since: since,
            head_since: None,
            send_blocked_since: None,
        }
    }

    #[test]
    fn idle_timeout_varies_by_a_tenth() {
        let config = ServerConfig::default();
        assert_eq!(TimeLimits::new(&config, 0.0).idle, IDLE);
        let shortest = TimeLimits::new(&config, 1.0 - f64::EPSILON).idle;
        assert!(shortest >= IDLE.mul_f64(0.899_999) && shortest < IDLE.mul_f64(0.901));
    }

    #[test]
    fn check_closes_connection_when_idle_timeout_has_passed() {
        let start = Instant::now();
        let check = |elapsed| limits().check(start + elapsed, &idle(start), None);
        assert_eq!(check(IDLE), Verdict::Close);
        assert_eq!(check(ALMOST_IDLE), Verdict::Open(start + IDLE));
        // A head may begin meanwhile.
        assert_eq!(check(Duration::ZERO), Verdict::Open(start + HEAD));
    }

    #[test]
    fn check_aborts_connection_when_head_timeout_has_passed() {
        let start = Instant::now();
        let head = Snapshot { head_since: Some(start), ..idle(start) };
        let check = |head, elapsed| limits().check(start + elapsed, head, None);
        assert_eq!(check(&head, ALMOST_HEAD), Verdict::Open(start + HEAD));
        assert_eq!(check(&head, HEAD), Verdict::Abort("head timeout"));
        let http2 = Snapshot { http2: true, ..head };
        assert_eq!(check(&http2, HEAD), Verdict::Open(start + HEAD + HEAD));
        assert_eq!(check(&http2, IDLE), Verdict::Close);
    }

    #[test]
    fn check_keeps_connection_open_when_a_request_is_in_flight() {
        let start = Instant::now();
        let busy = Snapshot { in_flight: true, head_since: Some(start), ..idle(start) };
        let day = start + Duration::from_secs(86_400);
        assert_eq!(limits().check(day, &busy, None), Verdict::Open(day + HEAD));
        assert_eq!(limits().check(day, &busy, Some(start)), Verdict::Open(day + HEAD));
    }

    #[test]
    fn check_aborts_connection_when_send_timeout_has_passed() {
        let start = Instant::now();
        let blocked = Snapshot { in_flight: true, send_blocked_since: Some(start), ..idle(start) };
        let check = |elapsed| limits().check(start + elapsed, &blocked, None);
        assert_eq!(check(ALMOST_SEND), Verdict::Open(start + SEND));
        assert_eq!(check(SEND), Verdict::Abort("send timeout"));
    }

    #[test]
    fn check_aborts_closing_connection_when_idle_timeout_has_passed_again() {
        let start = Instant::now();
        let closing = start + IDLE;
        let check = |elapsed| limits().check(closing + elapsed, &idle(start), Some(closing));
        assert_eq!(check(ALMOST_IDLE), Verdict::Open(closing + IDLE));
        assert_eq!(check(IDLE), Verdict::Abort("idle timeout"));
    }
}
