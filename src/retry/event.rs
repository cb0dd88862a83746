use std::{fmt, num::NonZeroU32, sync::Arc, time::Duration};

use seawall_core::Failure;

/// A retry that is about to be made, passed to [`on_retry`](super::RetryLayer::on_retry).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RetryEvent {
    attempt: NonZeroU32,
    failure: Failure,
    delay: Duration,
}

impl RetryEvent {
    pub(super) const fn new(attempt: NonZeroU32, failure: Failure, delay: Duration) -> Self {
        Self { attempt, failure, delay }
    }

    /// Returns the number of the next attempt, counted from 1. It is at least 2.
    #[must_use]
    pub const fn attempt(&self) -> NonZeroU32 {
        self.attempt
    }

    /// Returns the failure of the previous attempt.
    #[must_use]
    pub const fn failure(&self) -> &Failure {
        &self.failure
    }

    /// Returns the delay before the next attempt.
    #[must_use]
    pub const fn delay(&self) -> Duration {
        self.delay
    }
}

/// The user's callback for [`RetryEvent`]s, if it is set.
#[derive(Clone, Default)]
pub(super) struct Hook(pub(super) Option<Arc<OnRetry>>);

type OnRetry = dyn Fn(&RetryEvent) + Send + Sync;

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Hook" } else { "None" })
    }
}
