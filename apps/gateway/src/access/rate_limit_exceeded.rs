//! The error of a request above the rate limit of its client.

use std::{error::Error, fmt, time::Duration};

use seawall::{Cause, Failure, Processed, Reporter};

/// A request that was not sent upstream, because its client exceeded its rate limit.
#[derive(Debug)]
pub(super) struct RateLimitExceeded(Failure);

impl RateLimitExceeded {
    /// `wait` is the time until the client may send the next request.
    pub(super) const fn new(wait: Duration) -> Self {
        let failure = Failure::new(Cause::RateLimited)
            .with_reporter(Reporter::Local)
            .with_processed(Processed::No)
            .with_retry_after(Some(wait));
        Self(failure)
    }
}

impl fmt::Display for RateLimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the client exceeded its rate limit")
    }
}

impl Error for RateLimitExceeded {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
