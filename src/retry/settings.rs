use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::policy::Policy;
use crate::{budget::BudgetScope, time_limit::Deadline};

/// The settings of a [`RetryLayer`](super::RetryLayer).
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The part that a [`RetryOverride`](super::RetryOverride) replaces.
    pub(super) policy: Arc<Policy>,
    pub(super) budgets: BudgetScope,
    /// Whether the user chose the budgets.
    pub(super) has_own_budget: bool,
    pub(super) time_limits: TimeLimits,
}

/// The time limits of a call, apart from those of its request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TimeLimits {
    pub(crate) total_timeout: Option<Duration>,
    /// The time that an attempt needs beyond its own minimum.
    pub(crate) deadline_margin: Duration,
}

impl Settings {
    /// Returns the moment by which a call must end, and whether the retry enforces it.
    pub(super) fn deadline(&self, started: Instant, request: Option<Deadline>) -> CallDeadline {
        let own = self.time_limits.total_timeout.map(|time| Deadline::after(started, time));
        CallDeadline { at: own.into_iter().chain(request).min(), is_enforced: own.is_some() }
    }
}

/// The deadline of one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallDeadline {
    pub(super) at: Option<Deadline>,
    /// Whether the call ends when it passes. Otherwise no attempt begins that could not end in time.
    pub(super) is_enforced: bool,
}

impl CallDeadline {
    /// The deadline that ends the call.
    pub(super) fn enforced(&self) -> Option<Instant> {
        self.at.filter(|_| self.is_enforced).map(Deadline::at)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: Arc::default(),
            budgets: BudgetScope::One(Arc::default()),
            has_own_budget: false,
            time_limits: TimeLimits::default(),
        }
    }
}
