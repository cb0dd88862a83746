use std::time::Duration;

use tokio::time::Instant;

/// A moment by which a request must be answered, in its extensions.
///
/// Put there by whoever knows: the caller, or `DeadlineLayer`, which keeps to it. `RetryLayer` does not begin what cannot
/// end in time; `TimeoutLayer::by` can look at it.
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

/// Further off than any request; tokio's own "far future".
const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);

impl Deadline {
    /// The moment `time` from now; more than thirty years count as thirty.
    #[must_use]
    pub fn within(time: Duration) -> Self {
        Self::after(Instant::now(), time)
    }

    pub(crate) fn after(now: Instant, time: Duration) -> Self {
        Self { at: now + time.min(FAR) }
    }

    /// The time that is left: zero when the moment has passed.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    pub(crate) const fn at(self) -> Instant {
        self.at
    }
}
