use std::time::Duration;

use tokio::time::Instant;

/// The point in time by which a response is due.
///
/// A caller can insert it into a request's extensions. `DeadlineLayer` inserts and enforces it.
/// `RetryLayer` starts no retry that cannot end in time. The closure of `TimeoutLayer::from_fn` can
/// read it.
///
/// ```
/// use std::time::Duration;
/// use seawall::Deadline;
///
/// let mut request = http::Request::get("http://upstream/").body(())?;
/// request.extensions_mut().insert(Deadline::within(Duration::from_secs(2)));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    at: Instant,
}

/// The maximum time to a deadline. tokio uses the same value for its "far future".
const MAX_TIME: Duration = Duration::from_secs(86_400 * 365 * 30);

impl Deadline {
    /// Returns the deadline `time` from now. A time of more than 30 years is clamped to 30 years.
    #[must_use]
    pub fn within(time: Duration) -> Self {
        Self::after(Instant::now(), time)
    }

    /// Returns the deadline `time` after `now`.
    pub(crate) fn after(now: Instant, time: Duration) -> Self {
        Self { at: now + time.min(MAX_TIME) }
    }

    /// Returns the time until the deadline, or zero if the deadline has passed.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    pub(crate) const fn at(self) -> Instant {
        self.at
    }
}
