use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::policy::Policy;
use crate::{budget::BudgetScope, time_limit::Deadline};

/// The settings of a [`RetryLayer`](super::RetryLayer).
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The name in metrics of requests without a budget of their own key.
    pub(super) name: Option<Arc<str>>,
    /// The part that a [`RetryOverride`](super::RetryOverride) replaces.
    pub(super) policy: Arc<Policy>,
    pub(super) budgets: BudgetScope,
    /// `true` if the user set the budgets, in contrast to the default.
    pub(super) is_budget_set: bool,
    pub(super) time_limits: TimeLimits,
}

/// The time limits that the layer sets for each call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TimeLimits {
    pub(crate) total_timeout: Option<Duration>,
    /// The margin before the deadline. No retry starts within it.
    pub(crate) deadline_margin: Duration,
}

impl Settings {
    /// Returns the earlier of the request's deadline and the end of the total timeout. The deadline
    /// is enforced only if a total timeout is set.
    pub(super) fn call_deadline(
        &self,
        started: Instant,
        request_deadline: Option<Deadline>,
    ) -> CallDeadline {
        let total_timeout = self.time_limits.total_timeout;
        let own_deadline = total_timeout.map(|timeout| Deadline::after(started, timeout));
        CallDeadline {
            deadline: own_deadline.into_iter().chain(request_deadline).min(),
            is_enforced: own_deadline.is_some(),
        }
    }
}

/// The deadline of one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallDeadline {
    pub(super) deadline: Option<Deadline>,
    /// `true` if the call fails when the deadline passes. Otherwise the deadline only prevents
    /// attempts that cannot end in time.
    pub(super) is_enforced: bool,
}

impl CallDeadline {
    /// Returns the instant at which the call fails, if the deadline is enforced.
    pub(super) fn enforced_at(&self) -> Option<Instant> {
        self.deadline.filter(|_| self.is_enforced).map(Deadline::at)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: None,
            policy: Arc::default(),
            budgets: BudgetScope::Shared(Arc::default()),
            is_budget_set: false,
            time_limits: TimeLimits::default(),
        }
    }
}
