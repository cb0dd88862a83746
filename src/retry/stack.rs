//! The settings that the standard stack shares between its layers.

use std::borrow::Cow;

use http::Uri;

use super::{Budget, RetryLayer, settings::TimeLimits};
use crate::budget::BudgetScope;

impl<C, P> RetryLayer<C, P> {
    /// Returns whether the user chose the budgets.
    pub(crate) fn has_own_budget(&self) -> bool {
        self.settings.has_own_budget
    }

    /// Gives each key a budget. It does not count as a choice of the user.
    pub(crate) fn default_budget_per_key(
        mut self,
        budget: Budget,
        key_fn: impl for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> Self {
        let budgets = BudgetScope::per_key(budget, key_fn);
        self.settings.update(|settings| settings.budgets = budgets);
        self
    }

    pub(crate) fn time_limits(&self) -> TimeLimits {
        self.settings.time_limits
    }

    /// Applies the settings of `self` to the type of requests of `other`.
    pub(crate) fn with_adapter_of<C2, P2>(self, other: RetryLayer<C2, P2>) -> RetryLayer<C2, P2> {
        RetryLayer { settings: self.settings, ..other }
    }

    /// Shares the budgets of `other`.
    pub(crate) fn share_budgets(mut self, other: &Self) -> Self {
        self.settings.update(|settings| {
            settings.budgets = other.settings.budgets.clone();
            settings.has_own_budget = other.settings.has_own_budget;
        });
        self
    }
}
