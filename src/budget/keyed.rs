use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::Uri;
use tokio::time::Instant;

use super::Budget;

/// How many keys have a budget of their own. More share one.
const KEYS_MAX: usize = 4_096;

/// Which budget a request spends from.
#[derive(Clone, Debug)]
pub(crate) enum Budgets {
    One(Budget),
    Keyed(Keyed),
}

impl Budgets {
    /// The budget for a request to `uri`; `None`: the [`shared`](Self::shared) one.
    #[inline]
    pub(crate) fn keyed(&self, uri: Option<&Uri>, now: Instant) -> Option<Budget> {
        match self {
            Self::One(_) => None,
            Self::Keyed(keyed) => keyed.of(uri, now),
        }
    }

    #[inline]
    pub(crate) const fn shared(&self) -> &Budget {
        match self {
            Self::One(budget) => budget,
            Self::Keyed(keyed) => &keyed.rest,
        }
    }
}

/// A budget for each key.
#[derive(Clone)]
pub(crate) struct Keyed {
    by: Arc<By>,
    store: Arc<Mutex<Store>>,
    /// What each key starts with.
    like: Budget,
    /// Shared by requests without a key, and by keys beyond the bound.
    rest: Budget,
}

#[derive(Default)]
struct Store {
    budgets: HashMap<Box<str>, Budget>,
    /// When idle keys were last looked for.
    swept: Option<Instant>,
}

/// How often idle keys are looked for at the most, so that a flood of keys does not cost a search each.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

impl Store {
    /// Makes room, if there is too little. A budget that nobody has used for a whole window is as good as new.
    fn has_room(&mut self, now: Instant) -> bool {
        let due =
            self.swept.is_none_or(|swept| now.saturating_duration_since(swept) >= SWEEP_EVERY);
        if self.budgets.len() >= KEYS_MAX && due {
            self.swept = Some(now);
            self.budgets.retain(|_, budget| !budget.is_idle(now));
        }
        self.budgets.len() < KEYS_MAX
    }
}

type By = dyn for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>> + Send + Sync;

impl Keyed {
    pub(crate) fn new(
        rest: Budget,
        by: impl for<'a> Fn(&'a Uri) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> Self {
        Self { by: Arc::new(by), store: Arc::default(), like: rest.fresh(), rest }
    }

    fn of(&self, uri: Option<&Uri>, now: Instant) -> Option<Budget> {
        // User code, so outside the lock.
        let key = uri.and_then(|uri| (self.by)(uri))?;
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(budget) = store.budgets.get(&*key) {
            return Some(budget.clone());
        }
        if !store.has_room(now) {
            return None;
        }
        let budget = self.like.fresh();
        store.budgets.insert(key.into(), budget.clone());
        Some(budget)
    }
}

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed").field("like", &self.like).finish_non_exhaustive()
    }
}

/// Keys by host and port: for [`RetryLayer::budget_by`](crate::RetryLayer::budget_by).
#[must_use]
pub fn by_authority(uri: &Uri) -> Option<Cow<'_, str>> {
    uri.authority().map(|authority| {
        // A user's name and password are no part of where a request goes.
        let whole = authority.as_str();
        Cow::Borrowed(whole.rsplit_once('@').map_or(whole, |(_, host)| host))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ratio;

    fn uri(text: &str) -> Uri {
        text.parse().unwrap()
    }

    fn is_same(a: &Budget, b: &Budget) -> bool {
        match (&a.window, &b.window) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    #[test]
    fn each_key_has_a_budget_of_its_own() {
        let keyed = Keyed::new(Budget::new(Ratio::percent(0), 1), by_authority);
        let now = Instant::now();
        let of = |text| keyed.of(Some(&uri(text)), now).unwrap();
        assert!(is_same(&of("http://a/x"), &of("http://u:p@a/y")));
        assert!(!is_same(&of("http://a/"), &of("http://b/")));
        assert!(!is_same(&of("http://a/"), &of("http://a:81/")));
        assert!(keyed.of(Some(&uri("/x")), now).is_none());
        assert!(keyed.of(None, now).is_none());
    }

    #[test]
    fn a_flood_of_keys_is_bounded_and_idle_ones_make_room() {
        let keyed = Keyed::new(Budget::default(), by_authority);
        let now = Instant::now();
        for number in 0..100_000 {
            let budget = keyed.of(Some(&uri(&format!("http://h{number}/"))), now);
            budget.as_ref().unwrap_or(&keyed.rest).deposit(now);
        }
        assert_eq!(keyed.store.lock().unwrap().budgets.len(), KEYS_MAX);
        assert!(keyed.of(Some(&uri("http://new/")), now).is_none());
        let later = now + Duration::from_secs(20);
        let busy = keyed.of(Some(&uri("http://h7/")), later).unwrap();
        busy.deposit(later);
        assert!(keyed.of(Some(&uri("http://new/")), later).is_some());
        assert_eq!(keyed.store.lock().unwrap().budgets.len(), 2);
    }
}
