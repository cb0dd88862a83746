use std::{fmt, sync::Arc};

use http::Uri;
use tokio::time::Instant;

use super::Budget;
use crate::{
    keys::{BoundedMap, Evictable, UriKey},
    sharded_arc::ShardedArc,
};

/// The budget that all requests share, or a budget for each key.
#[derive(Clone, Debug)]
pub(crate) enum BudgetScope {
    Shared(Arc<Budget>),
    PerKey(PerKeyBudgets),
}

impl BudgetScope {
    /// Creates one budget per key, each with the limit of `budget`. Requests without a key share
    /// `budget` itself.
    pub(crate) fn per_key(budget: Budget, key_fn: UriKey) -> Self {
        Self::PerKey(PerKeyBudgets::new(budget, key_fn))
    }

    /// Returns the budget of the key of `uri`, or `None` if the request uses the
    /// [`shared`](Self::shared) budget.
    pub(crate) fn for_uri(&self, uri: Option<&Uri>, now: Instant) -> Option<ShardedArc<Budget>> {
        match self {
            Self::Shared(_) => None,
            Self::PerKey(budgets) => budgets.get(uri, now),
        }
    }

    /// Returns the budget of requests without a budget of their own.
    pub(crate) fn shared(&self) -> &Budget {
        match self {
            Self::Shared(budget) => budget,
            Self::PerKey(budgets) => &budgets.fallback,
        }
    }
}

/// A budget for each key.
#[derive(Clone)]
pub(crate) struct PerKeyBudgets {
    key_fn: UriKey,
    budgets: Arc<BoundedMap<Budget>>,
    /// The budget of requests without a key, and of keys beyond the maximum. Each key starts with
    /// an unused budget that has the same limit.
    fallback: Arc<Budget>,
}

impl PerKeyBudgets {
    fn new(fallback: Budget, key_fn: UriKey) -> Self {
        Self { key_fn, budgets: Arc::default(), fallback: Arc::new(fallback) }
    }

    fn get(&self, uri: Option<&Uri>, now: Instant) -> Option<ShardedArc<Budget>> {
        let key = self.key_fn.key_of(uri?)?;
        self.budgets.get_or_create(&key, || now, |key| self.fallback.unused_for(key))
    }
}

impl Evictable for Budget {
    /// Returns whether the budget was unused for a whole window. A new budget would then behave the
    /// same.
    fn is_evictable(&self, now: Instant) -> bool {
        self.is_idle(now)
    }
}

impl fmt::Debug for PerKeyBudgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerKeyBudgets").field("fallback", &self.fallback).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::keys::{MAX_KEYS, by_authority};
    use seawall_core::Ratio;

    fn budgets_by_authority() -> PerKeyBudgets {
        PerKeyBudgets::new(Budget::new(Ratio::percent(0), 1), UriKey::new(by_authority))
    }

    fn budget_for(budgets: &PerKeyBudgets, uri: &str, now: Instant) -> Option<ShardedArc<Budget>> {
        budgets.get(Some(&uri.parse().unwrap()), now)
    }

    #[test]
    fn each_key_has_own_budget_and_requests_without_key_share_fallback() {
        let (budgets, now) = (budgets_by_authority(), Instant::now());
        let withdraw = |uri| budget_for(&budgets, uri, now).unwrap().withdraw(|| now);
        assert!(withdraw("http://a/x"));
        assert!(!withdraw("http://u:p@A/y"));
        assert!(withdraw("http://b/"));
        assert!(withdraw("http://a:81/"));
        assert!(budget_for(&budgets, "/x", now).is_none());
        assert!(budgets.get(None, now).is_none());
        assert!(budgets.fallback.withdraw(|| now));
    }

    #[test]
    fn used_budget_is_not_evicted_for_another_key() {
        let (budgets, now) = (budgets_by_authority(), Instant::now());
        let in_flight = budget_for(&budgets, "http://slow/", now).unwrap();
        in_flight.deposit(now);
        assert!(budget_for(&budgets, "http://spent/", now).unwrap().withdraw(|| now));
        let fill = |now| {
            for number in 0..MAX_KEYS + 10 {
                budget_for(&budgets, &format!("http://h{number}/"), now);
            }
        };
        fill(now);
        assert!(!budget_for(&budgets, "http://spent/", now).unwrap().withdraw(|| now));
        // All budgets are now idle for longer than the window. Only `spent` is used again.
        let later = now + Duration::from_secs(20);
        assert!(budget_for(&budgets, "http://spent/", later).unwrap().withdraw(|| later));
        fill(later);
        assert!(!budget_for(&budgets, "http://spent/", later).unwrap().withdraw(|| later));
        assert!(in_flight.withdraw(|| later));
        let much_later = later + Duration::from_secs(20);
        assert!(budget_for(&budgets, "http://new/", much_later).is_some());
        assert!(!budget_for(&budgets, "http://slow/", later).unwrap().withdraw(|| later));
    }
}
