use std::sync::{Arc, Weak};

use tokio::time::Instant;

use super::{Keep, Store};

/// What one service found last. Most services have one upstream, and to compare a key costs less than to search for it.
///
/// It holds nothing: what is remembered may be forgotten by the store as if it were not, so that many idle services do not
/// fill the store. Whatever it gives is the very one in the store, since a store forgets only what nobody can get a hold of
/// any more.
#[derive(Debug)]
pub(crate) struct Last<T> {
    key: String,
    found: Weak<T>,
    /// A service made for one call only has nothing to remember.
    is_used: bool,
}

impl<T> Last<T> {
    /// The key of what was found last.
    #[inline]
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// What was found last, if it is asked for again.
    #[inline]
    pub(crate) fn again(&self, is_asked: bool) -> Option<Arc<T>> {
        if is_asked { self.found.upgrade() } else { None }
    }
}

impl<T: Keep> Last<T> {
    /// As [`Store::get`]. To be used with one store only.
    #[inline]
    pub(crate) fn get(
        &mut self,
        store: &Store<T>,
        key: &str,
        now: impl FnOnce() -> Instant,
        make: impl FnOnce(Arc<str>) -> T,
    ) -> Option<Arc<T>> {
        self.again(self.key == key).or_else(|| self.search(store, key, now, make))
    }

    /// Apart, so that what is found at once needs no room for this.
    #[inline(never)]
    fn search(
        &mut self,
        store: &Store<T>,
        key: &str,
        now: impl FnOnce() -> Instant,
        make: impl FnOnce(Arc<str>) -> T,
    ) -> Option<Arc<T>> {
        let found = store.get(key, now, make)?;
        if self.is_used {
            self.key.clear();
            self.key.push_str(key);
            self.found = Arc::downgrade(&found);
        }
        self.is_used = true;
        Some(found)
    }
}

impl<T> Default for Last<T> {
    fn default() -> Self {
        Self { key: String::new(), found: Weak::new(), is_used: false }
    }
}

/// Remembers nothing: most clones are made for one call, and would pay for what they do not use.
impl<T> Clone for Last<T> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            OnceLock,
            atomic::{AtomicU64, AtomicUsize, Ordering},
            mpsc,
        },
        thread,
        time::Duration,
    };

    use super::*;
    use crate::keys::KEYS_MAX;

    /// Clean unless it was used; what is to happen while it is judged can be said.
    #[derive(Default)]
    struct Kept {
        uses: AtomicUsize,
        meanwhile: OnceLock<Box<dyn Fn() + Send + Sync>>,
    }

    impl Keep for Kept {
        fn is_clean(&self, _now: Instant) -> bool {
            let is_clean = self.uses.load(Ordering::Relaxed) == 0;
            if let Some(meanwhile) = self.meanwhile.get() {
                meanwhile();
            }
            is_clean
        }
    }

    fn get(
        last: &mut Last<Kept>,
        store: &Store<Kept>,
        key: &str,
        now: Instant,
    ) -> Option<Arc<Kept>> {
        last.get(store, key, || now, |_| Kept::default())
    }

    /// One that remembers `key`.
    fn remembering(store: &Store<Kept>, key: &str, now: Instant) -> Last<Kept> {
        let mut last = Last::default();
        get(&mut last, store, key, now).unwrap();
        get(&mut last, store, key, now).unwrap();
        assert_eq!(last.key, key);
        last
    }

    fn meanwhile(store: &Store<Kept>, key: &str, happens: impl Fn() + Send + Sync + 'static) {
        let kept = store.find(key).unwrap();
        assert!(kept.meanwhile.set(Box::new(happens)).is_ok());
    }

    /// Other keys, until there is no room, and one more, for which what can go is looked for.
    fn flood(store: &Store<Kept>, now: Instant) {
        for number in 0..=KEYS_MAX {
            store.get(&format!("flood {number}"), || now, |_| Kept::default());
        }
    }

    #[test]
    fn it_is_remembered_from_the_second_call_on_and_by_no_clone() {
        let (store, now, mut last) = (Store::default(), Instant::now(), Last::default());
        let first = get(&mut last, &store, "a", now).unwrap();
        assert_eq!(last.key, "");
        assert!(Arc::ptr_eq(&first, &get(&mut last, &store, "a", now).unwrap()));
        assert_eq!(last.key, "a");
        let unasked = || unreachable!("it is remembered");
        assert!(Arc::ptr_eq(&first, &last.get(&store, "a", unasked, |_| unreachable!()).unwrap()));
        assert_eq!(last.clone().key, "");
        assert!(!Arc::ptr_eq(&first, &get(&mut last, &store, "b", now).unwrap()));
        assert!(Arc::ptr_eq(&first, &get(&mut last, &store, "a", now).unwrap()));
    }

    #[test]
    fn services_that_remember_a_key_each_do_not_keep_others_out() {
        let (store, now) = (Store::default(), Instant::now());
        let mut all: Vec<_> = (0..KEYS_MAX)
            .map(|number| (number.to_string(), remembering(&store, &number.to_string(), now)))
            .collect();
        assert_eq!(store.all().len(), KEYS_MAX);
        assert!(store.get("new", || now, |_| Kept::default()).is_some());
        assert_eq!(store.all().len(), 1);
        for (key, last) in &mut all[..10] {
            let found = get(last, &store, key, now).unwrap();
            assert!(Arc::ptr_eq(&found, &store.find(key).unwrap()));
        }
        assert_eq!(store.all().len(), 11);
    }

    #[test]
    fn what_somebody_takes_a_hold_of_while_it_is_judged_stays() {
        let (store, now) = (Store::default(), Instant::now());
        let last = remembering(&store, "a", now);
        let (sender, taken) = mpsc::channel();
        meanwhile(&store, "a", move || sender.send(last.found.upgrade().unwrap()).unwrap());
        flood(&store, now);
        assert!(Arc::ptr_eq(&taken.try_recv().unwrap(), &store.find("a").unwrap()));
        assert!(store.find("flood 1").is_none());
    }

    #[test]
    fn what_somebody_uses_while_it_is_judged_is_not_lost() {
        let (store, now) = (Store::default(), Instant::now());
        let last = remembering(&store, "a", now);
        meanwhile(&store, "a", move || {
            if let Some(found) = last.found.upgrade() {
                found.uses.store(1, Ordering::Relaxed);
            }
        });
        flood(&store, now);
        assert_eq!(store.find("a").unwrap().uses.load(Ordering::Relaxed), 1);
        assert!(store.find("flood 1").is_none());
    }

    #[test]
    fn what_is_remembered_is_the_one_in_the_store_whatever_other_threads_do() {
        let (store, begun) = (Store::default(), Instant::now());
        let seconds = AtomicU64::new(0);
        thread::scope(|scope| {
            for seed in 0..4 {
                let (store, seconds) = (&store, &seconds);
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(seed);
                    let mut services: Vec<Last<Kept>> = vec![Last::default(); 8];
                    for _ in 0..20_000 {
                        // Each flood of keys has a second of its own, so that each may be searched for room.
                        let second = seconds.fetch_add(1, Ordering::Relaxed);
                        let now = begun + Duration::from_secs(second);
                        let key = random.usize(..services.len());
                        if let Some(found) = get(&mut services[key], store, &key.to_string(), now) {
                            let stored = store.find(&key.to_string());
                            assert!(stored.is_some_and(|stored| Arc::ptr_eq(&found, &stored)));
                        }
                        store.get(&random.u16(..).to_string(), || now, |_| Kept::default());
                    }
                });
            }
        });
        assert!(store.all().len() <= KEYS_MAX);
    }
}
