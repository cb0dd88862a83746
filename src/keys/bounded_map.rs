use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use tokio::time::Instant;

use super::Evictable;
use crate::sharded_arc::{GROUPS, ShardedArc, thread_group};

/// The largest number of keys in one store.
pub(crate) const MAX_KEYS: usize = 4_096;

/// The largest key that is stored, in bytes: four times the longest name of a host.
const MAX_KEY_BYTES: usize = 1_024;

/// The shortest time between two sweeps, so that a flood of keys does not cost a sweep each.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// A `T` for each key, at most [`MAX_KEYS`].
pub(crate) struct BoundedMap<T> {
    entries: RwLock<HashMap<Arc<str>, ShardedArc<T>>>,
    /// The entry that each group of threads found last. Most threads call one upstream again and again, and need not share
    /// the lock of the map for that.
    recent: [Recent<T>; GROUPS],
    swept: Mutex<Option<Instant>>,
}

/// Aligned, so that groups do not share a cache line.
#[repr(align(128))]
struct Recent<T>(Mutex<Option<(Arc<str>, ShardedArc<T>)>>);

impl<T> Default for BoundedMap<T> {
    fn default() -> Self {
        Self {
            entries: RwLock::default(),
            recent: std::array::from_fn(|_| Recent(Mutex::new(None))),
            swept: Mutex::default(),
        }
    }
}

impl<T: Evictable> BoundedMap<T> {
    /// Returns the value of `key`, made if there is none. `None` if the key is too long, or if there are too many and none of
    /// them can go.
    #[inline]
    pub(crate) fn get(
        &self,
        key: &str,
        now: impl FnOnce() -> Instant,
        make: impl FnOnce(Arc<str>) -> T,
    ) -> Option<ShardedArc<T>> {
        let recent = &self.recent[thread_group()];
        if let Some((last, value)) = &*recent.lock()
            && **last == *key
        {
            return Some(value.clone());
        }
        let (key, value) = self.find_entry(key).or_else(|| self.add(key, now, make))?;
        let replaced = recent.lock().replace((key, value.clone()));
        drop(replaced);
        Some(value)
    }

    fn add(
        &self,
        key: &str,
        now: impl FnOnce() -> Instant,
        make: impl FnOnce(Arc<str>) -> T,
    ) -> Option<(Arc<str>, ShardedArc<T>)> {
        if key.len() > MAX_KEY_BYTES {
            return None;
        }
        if self.read().len() >= MAX_KEYS {
            self.sweep(now());
        }
        let mut entries = self.write();
        // Another thread may have added it meanwhile.
        if let Some((key, value)) = entries.get_key_value(key) {
            return Some((Arc::clone(key), value.clone()));
        }
        if entries.len() >= MAX_KEYS {
            return None;
        }
        let key: Arc<str> = key.into();
        let value = ShardedArc::new(make(Arc::clone(&key)));
        entries.insert(Arc::clone(&key), value.clone());
        Some((key, value))
    }

    /// Removes the values that are clean and held by no call.
    fn sweep(&self, now: Instant) {
        if !self.is_sweep_due(now) {
            return;
        }
        for recent in &self.recent {
            let forgotten = recent.lock().take();
            drop(forgotten);
        }
        // A value is cloned only out of the map and out of `recent`: handles share one clone. So one that is unique under
        // this lock stays so.
        let can_go = |value: &ShardedArc<T>| value.is_unique() && value.is_evictable(now);
        let evicted: Vec<_> = self.write().extract_if(|_, value| can_go(value)).collect();
        for (_, value) in evicted {
            value.on_evict();
        }
    }

    fn is_sweep_due(&self, now: Instant) -> bool {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due =
            swept.is_none_or(|swept| now.saturating_duration_since(swept) >= SWEEP_INTERVAL);
        if is_due {
            *swept = Some(now);
        }
        is_due
    }
}

impl<T> BoundedMap<T> {
    /// Returns the value of `key`, if there is one.
    pub(crate) fn find(&self, key: &str) -> Option<ShardedArc<T>> {
        self.read().get(key).cloned()
    }

    fn find_entry(&self, key: &str) -> Option<(Arc<str>, ShardedArc<T>)> {
        let entries = self.read();
        let (key, value) = entries.get_key_value(key)?;
        Some((Arc::clone(key), value.clone()))
    }

    /// Returns all values, in no order.
    pub(crate) fn all(&self) -> Vec<ShardedArc<T>> {
        self.read().values().cloned().collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<Arc<str>, ShardedArc<T>>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Arc<str>, ShardedArc<T>>> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Recent<T> {
    #[inline]
    fn lock(&self) -> MutexGuard<'_, Option<(Arc<str>, ShardedArc<T>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for BoundedMap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedMap").field("len", &self.read().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Entry(AtomicUsize);

    impl Evictable for Entry {
        fn is_evictable(&self, _now: Instant) -> bool {
            self.0.load(Ordering::Relaxed) == 0
        }
    }

    fn get(store: &BoundedMap<Entry>, key: &str, now: Instant) -> Option<ShardedArc<Entry>> {
        store.get(key, || now, |_| Entry(AtomicUsize::new(0)))
    }

    #[test]
    fn what_is_in_use_or_not_clean_stays_and_the_rest_makes_room() {
        let (store, now) = (BoundedMap::default(), Instant::now());
        let held = get(&store, "held", now).unwrap();
        get(&store, "dirty", now).unwrap().0.store(1, Ordering::Relaxed);
        for number in 0..MAX_KEYS - 2 {
            get(&store, &number.to_string(), now).unwrap();
        }
        assert_eq!(store.all().len(), MAX_KEYS);
        assert!(get(&store, "one more", now).is_some());
        assert_eq!(store.all().len(), 3);
        assert!(held.ptr_eq(&store.find("held").unwrap()));
        assert_eq!(store.find("dirty").unwrap().0.load(Ordering::Relaxed), 1);
        assert!(store.find("7").is_none());
    }

    #[test]
    fn a_flood_of_keys_is_bounded_and_searched_for_room_once_a_second() {
        let (store, now) = (BoundedMap::default(), Instant::now());
        for number in 0..100_000 {
            if let Some(kept) = get(&store, &number.to_string(), now) {
                kept.0.store(1, Ordering::Relaxed);
            }
        }
        assert_eq!(store.all().len(), MAX_KEYS);
        for kept in store.all() {
            kept.0.store(0, Ordering::Relaxed);
        }
        assert!(get(&store, "new", now + Duration::from_millis(999)).is_none());
        assert!(get(&store, "new", now + Duration::from_secs(1)).is_some());
        assert_eq!(store.all().len(), 1);
    }

    #[test]
    fn many_threads_get_the_same_one_and_do_not_pass_the_bound() {
        let (store, now) = (BoundedMap::default(), Instant::now());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..MAX_KEYS + 100 {
                        if let Some(kept) = get(&store, &number.to_string(), now) {
                            kept.0.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(store.all().len(), MAX_KEYS);
        let uses: usize = store.all().iter().map(|kept| kept.0.load(Ordering::Relaxed)).sum();
        assert_eq!(uses, 4 * MAX_KEYS);
    }

    #[test]
    fn a_key_that_another_thread_brings_meanwhile_is_found_though_there_is_no_more_room() {
        let (store, now) = (BoundedMap::default(), Instant::now());
        for number in 0..MAX_KEYS {
            get(&store, &number.to_string(), now).unwrap();
        }
        // Asked for the time when there seems to be no room, which is when another thread may come in between.
        let meanwhile = || {
            get(&store, "new", now).unwrap();
            now
        };
        let kept = store.get("new", meanwhile, |_| unreachable!("it is there"));
        assert!(kept.is_some());
    }

    #[test]
    fn store_frees_every_value_when_two_threads_use_a_hundred_thousand_hosts() {
        struct Alive(Arc<AtomicUsize>);

        impl Evictable for Alive {
            fn is_evictable(&self, _now: Instant) -> bool {
                true
            }
        }

        impl Drop for Alive {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }

        let (store, alive) = (BoundedMap::default(), Arc::new(AtomicUsize::new(0)));
        let start = Instant::now();
        // A second for every host, so that the store may be swept whenever it is full.
        let call = |host: u32| {
            let now = || start + Duration::from_secs(host.into());
            store.get(&host.to_string(), now, |_| {
                alive.fetch_add(1, Ordering::Relaxed);
                Alive(Arc::clone(&alive))
            })
        };
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..100_000).for_each(|host| drop(call(host))));
            }
        });
        // Both threads are done, so nothing but the store and its cache holds a value.
        assert!(store.all().len() <= MAX_KEYS);
        assert!(alive.load(Ordering::Relaxed) <= MAX_KEYS + GROUPS);
        drop(store);
        assert_eq!(alive.load(Ordering::Relaxed), 0);
    }
}
