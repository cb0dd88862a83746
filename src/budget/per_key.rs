use std::{borrow::Cow, fmt, sync::Arc};

use http::Uri;
use tokio::time::Instant;

use super::Budget;
use crate::{
    keys::{BoundedMap, Evictable},
    sharded_arc::ShardedArc,
};

/// Which budget a request spends from.
#[derive(Clone, Debug)]
pub(crate) enum BudgetScope {
    One(Arc<Budget>),
    PerKey(PerKeyBudgets),
}

impl BudgetScope {
    /// Gives each key a budget with the limits of `budget`. Requests without a key share `budget` itself.
    pub(crate) fn per_key(
        budget: Budget,
        key_fn: impl for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> Self {
        Self::PerKey(PerKeyBudgets::new(budget, Arc::new(key_fn)))
    }

    /// Returns the budget for a request to `uri`; `None`: the [`shared`](Self::shared) one.
    pub(crate) fn keyed(&self, uri: Option<&Uri>, now: Instant) -> Option<ShardedArc<Budget>> {
        match self {
            Self::One(_) => None,
            Self::PerKey(keyed) => keyed.get(uri, now),
        }
    }

    pub(crate) fn shared(&self) -> &Budget {
        match self {
            Self::One(budget) => budget,
            Self::PerKey(keyed) => &keyed.rest,
        }
    }
}

/// A budget for each key.
#[derive(Clone)]
pub(crate) struct PerKeyBudgets {
    key_fn: Arc<KeyFn>,
    store: Arc<BoundedMap<Budget>>,
    /// Shared by requests without a key, and by keys beyond the bound. Each key starts with another of its limits.
    rest: Arc<Budget>,
}

type KeyFn = dyn for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>> + Send + Sync;

impl PerKeyBudgets {
    fn new(rest: Budget, key_fn: Arc<KeyFn>) -> Self {
        Self { key_fn, store: Arc::default(), rest: Arc::new(rest) }
    }

    fn get(&self, uri: Option<&Uri>, now: Instant) -> Option<ShardedArc<Budget>> {
        let key = (self.key_fn)(uri?)?;
        self.store.get(&key, || now, |_| self.rest.clone_empty())
    }
}

impl Evictable for Budget {
    /// One that nobody has used for a whole window is as good as new.
    fn is_evictable(&self, now: Instant) -> bool {
        self.is_idle(now)
    }
}

impl fmt::Debug for PerKeyBudgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerKeyBudgets").field("rest", &self.rest).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::keys::{MAX_KEYS, by_authority};
    use seawall_core::Ratio;

    fn keyed() -> PerKeyBudgets {
        PerKeyBudgets::new(Budget::new(Ratio::percent(0), 1), Arc::new(by_authority))
    }

    fn of(keyed: &PerKeyBudgets, uri: &str, now: Instant) -> Option<ShardedArc<Budget>> {
        keyed.get(Some(&uri.parse().unwrap()), now)
    }

    #[test]
    fn each_key_has_a_budget_of_its_own_and_requests_without_one_share_the_rest() {
        let (keyed, now) = (keyed(), Instant::now());
        let withdraw = |uri| of(&keyed, uri, now).unwrap().withdraw(|| now);
        assert!(withdraw("http://a/x"));
        assert!(!withdraw("http://u:p@A/y"));
        assert!(withdraw("http://b/"));
        assert!(withdraw("http://a:81/"));
        assert!(of(&keyed, "/x", now).is_none());
        assert!(keyed.get(None, now).is_none());
        assert!(keyed.rest.withdraw(|| now));
    }

    #[test]
    fn what_is_spent_or_may_be_yet_is_not_forgotten_for_another_key() {
        let (keyed, now) = (keyed(), Instant::now());
        let under_way = of(&keyed, "http://slow/", now).unwrap();
        under_way.deposit(now);
        assert!(of(&keyed, "http://spent/", now).unwrap().withdraw(|| now));
        let flood = |now| {
            for number in 0..MAX_KEYS + 10 {
                of(&keyed, &format!("http://h{number}/"), now);
            }
        };
        flood(now);
        assert!(!of(&keyed, "http://spent/", now).unwrap().withdraw(|| now));
        // Idle for longer than the window, but for the one that was spent just before.
        let later = now + Duration::from_secs(20);
        assert!(of(&keyed, "http://spent/", later).unwrap().withdraw(|| later));
        flood(later);
        assert!(!of(&keyed, "http://spent/", later).unwrap().withdraw(|| later));
        assert!(under_way.withdraw(|| later));
        let new = later + Duration::from_secs(20);
        assert!(of(&keyed, "http://new/", new).is_some());
        assert!(!of(&keyed, "http://slow/", later).unwrap().withdraw(|| later));
    }
}
