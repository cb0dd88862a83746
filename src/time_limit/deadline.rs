use std::time::Duration;

use tokio::time::Instant;

/// The point in time by which a response is due.
///
/// A caller inserts it into a request's extensions; so does `DeadlineLayer`, which enforces it. `RetryLayer` makes no attempt
/// that cannot end in time. The closure of `TimeoutLayer::from_fn` can read it.
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

/// The longest time to a deadline: tokio's own "far future".
const MAX_TIME: Duration = Duration::from_secs(86_400 * 365 * 30);

impl Deadline {
    /// Returns the deadline `time` from now. More than thirty years count as thirty.
    #[must_use]
    pub fn within(time: Duration) -> Self {
        Self::after(Instant::now(), time)
    }

    /// Returns the deadline `time` after `now`.
    pub(crate) fn after(now: Instant, time: Duration) -> Self {
        Self { at: now + time.min(MAX_TIME) }
    }

    /// Returns the time that is left; zero after the deadline.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    pub(crate) const fn at(self) -> Instant {
        self.at
    }
}
