use std::{fmt, num::NonZeroU32, sync::Arc, time::Duration};

use seawall_core::Failure;

/// A retry that has been decided on, as [`on_retry`](super::RetryLayer::on_retry) sees it.
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

    /// The attempt to come, counted from 1, so at least 2.
    #[must_use]
    pub const fn attempt(&self) -> NonZeroU32 {
        self.attempt
    }

    /// What the attempt before it failed with.
    #[must_use]
    pub const fn failure(&self) -> &Failure {
        &self.failure
    }

    /// How long it is waited for.
    #[must_use]
    pub const fn delay(&self) -> Duration {
        self.delay
    }
}

/// What the caller wants to be told of.
#[derive(Clone, Default)]
pub(super) struct Hook(pub(super) Option<Arc<OnRetry>>);

type OnRetry = dyn Fn(&RetryEvent) + Send + Sync;

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Hook" } else { "None" })
    }
}
