//! The settings that the standard stack shares between its retry layers.

use std::time::Duration;

use super::{Budget, RetryLayer, settings::TimeLimits};
use crate::{budget::BudgetScope, keys::UriKey};

impl<C, P> RetryLayer<C, P> {
    /// Returns whether the user set the budgets.
    pub(crate) fn is_budget_set(&self) -> bool {
        self.settings.is_budget_set
    }

    /// Creates one budget per key, without marking the budgets as set by the user.
    pub(crate) fn default_budget_per_key(mut self, budget: Budget, key: UriKey) -> Self {
        let budgets = BudgetScope::per_key(budget, key);
        self.settings.update(|settings| settings.budgets = budgets);
        self
    }

    /// Sets or removes the total timeout.
    pub(crate) fn set_total_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.settings.update(|settings| settings.time_limits.total_timeout = timeout);
        self
    }

    pub(crate) fn time_limits(&self) -> TimeLimits {
        self.settings.time_limits
    }

    /// Combines the settings of `self` with the classifier and adapter of `other`.
    pub(crate) fn with_type_parameters_of<C2, P2>(
        self,
        other: RetryLayer<C2, P2>,
    ) -> RetryLayer<C2, P2> {
        RetryLayer { settings: self.settings, ..other }
    }

    /// Shares the budgets of `other`.
    pub(crate) fn share_budgets(mut self, other: &Self) -> Self {
        self.settings.update(|settings| {
            settings.budgets = other.settings.budgets.clone();
            settings.is_budget_set = other.settings.is_budget_set;
        });
        self
    }
}
